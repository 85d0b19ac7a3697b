/**
 * DuckDB in this process: locked down, with a few connections, each of which runs one query at a time.
 *
 * A query occupies a thread of libuv's pool as long as it runs, and so does each read of a file; so there are fewer connections than
 * threads. DuckDB has no timeout of its own: a timer interrupts the connection until the query has ended, because an interrupt that
 * comes just before the query begins is lost.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader } from '@duckdb/node-api';
import { HttpProblem } from '../http/index.ts';
import { type Bindings, type Duck, literal, loadDuck, quoted } from './duck.ts';

export interface EngineOptions {
  /** Bytes. */
  memory: number;
  threads: number;
  connections: number;
  /** So many callers wait for a connection. */
  waiting: number;
  /** The folders that DuckDB may read. */
  readable: readonly string[];
  /** Its own: for answers that are files, and for what does not fit into memory. */
  scratch: string;
}

/** Why a query has no answer, without a word of the query. */
export class QueryFailure extends Error {
  /**
   * - `full`: as many callers as may be are waiting
   * - `late`: it took longer than it may
   * - `memory`: it needs more memory than DuckDB may use
   * - `gone`: a file that it reads has vanished or changed
   * - `value`: it cannot be computed for these values, e.g. a number is too large
   * - `stopped`: the caller no longer wants it
   * - `fault`: anything else; `cause` says what
   */
  readonly kind: 'full' | 'late' | 'memory' | 'gone' | 'value' | 'stopped' | 'fault';

  constructor(kind: QueryFailure['kind'], cause?: unknown) {
    super(`the query has failed: ${kind}`, { cause });
    this.kind = kind;
  }
}

export interface RunOptions {
  /** The data version: the catalog with its tables. */
  catalog: string;
  /** Milliseconds, with the wait for a connection. */
  timeout: number;
  signal?: AbortSignal | undefined;
}

/** Runs the statements of one query, one after the other. */
export type Ask = (sql: string, bindings?: Bindings) => Promise<DuckDBResultReader>;

/** Between two interrupts, milliseconds. */
const INTERRUPT_AGAIN = 20;

export class Engine {
  readonly duck: Duck;
  readonly scratch: string;
  readonly #instance: DuckDBInstance;
  /** For tables of data versions: it is not held up by queries. */
  readonly #control: DuckDBConnection;
  readonly #all: DuckDBConnection[];
  readonly #free: DuckDBConnection[];
  readonly #queue: ((connection: DuckDBConnection) => void)[] = [];
  readonly #waiting: number;
  #controlled: Promise<unknown> = Promise.resolve();

  private constructor(parts: {
    duck: Duck;
    instance: DuckDBInstance;
    control: DuckDBConnection;
    connections: DuckDBConnection[];
    options: EngineOptions;
  }) {
    this.duck = parts.duck;
    this.scratch = parts.options.scratch;
    this.#instance = parts.instance;
    this.#control = parts.control;
    this.#all = parts.connections;
    this.#free = [...parts.connections];
    this.#waiting = parts.options.waiting;
  }

  static async open(options: EngineOptions): Promise<Engine> {
    const duck = loadDuck();
    await rm(options.scratch, { recursive: true, force: true });
    await mkdir(options.scratch, { recursive: true, mode: 0o700 });
    const instance = await duck.DuckDBInstance.create(':memory:', {
      memory_limit: `${options.memory}B`,
      threads: String(options.threads),
    });
    const control = await instance.connect();
    for (const statement of lockingDown(options)) await control.run(statement);
    const connections: DuckDBConnection[] = [];
    while (connections.length < options.connections) connections.push(await instance.connect());
    return new Engine({ duck, instance, control, connections, options });
  }

  /** How many queries run, and how many callers wait. */
  get load(): { running: number; waiting: number } {
    return { running: this.#all.length - this.#free.length, waiting: this.#queue.length };
  }

  /**
   * Runs statements on one connection, among the tables of one data version.
   *
   * @throws QueryFailure
   */
  async run<T>(options: RunOptions, work: (ask: Ask) => Promise<T>): Promise<T> {
    const late = performance.now() + options.timeout;
    const connection = await this.#take(options);
    try {
      return await this.#interruptible(
        connection,
        { ...options, timeout: late - performance.now() },
        async () => {
          await connection.run(`USE ${quoted(options.catalog)}`);
          return work((sql, bindings) => connection.runAndReadAll(sql, bindings?.values, bindings?.types));
        },
      );
    } finally {
      this.#give(connection);
    }
  }

  /** Statements of this program itself, one after the other: they make and remove the tables of data versions. */
  control(statements: readonly string[]): Promise<DuckDBResultReader | null> {
    const work = this.#controlled.then(async () => {
      let last: DuckDBResultReader | null = null;
      for (const sql of statements) last = await this.#control.runAndReadAll(sql);
      return last;
    });
    this.#controlled = work.catch(() => undefined);
    return work;
  }

  /** Queries that run are interrupted. */
  async close(): Promise<void> {
    for (const connection of this.#all) connection.interrupt();
    await this.#controlled;
    for (const connection of [this.#control, ...this.#all]) connection.closeSync();
    this.#instance.closeSync();
    await rm(this.scratch, { recursive: true, force: true });
  }

  async #take({ timeout, signal }: RunOptions): Promise<DuckDBConnection> {
    if (signal?.aborted === true) throw new QueryFailure('stopped');
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#queue.length >= this.#waiting) throw new QueryFailure('full');
    const turn = Promise.withResolvers<DuckDBConnection>();
    this.#queue.push(turn.resolve);
    const leave = (kind: 'late' | 'stopped'): void => {
      const index = this.#queue.indexOf(turn.resolve);
      // Without an index its turn has just come.
      if (index === -1) return;
      this.#queue.splice(index, 1);
      turn.reject(new QueryFailure(kind));
    };
    const stop = (): void => leave('stopped');
    const timer = setTimeout(leave, timeout, 'late');
    signal?.addEventListener('abort', stop);
    try {
      return await turn.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  #give(connection: DuckDBConnection): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
  }

  async #interruptible<T>(
    connection: DuckDBConnection,
    { timeout, signal }: { timeout: number; signal?: AbortSignal | undefined },
    work: () => Promise<T>,
  ): Promise<T> {
    const ending: { why: 'late' | 'stopped' | null } = { why: null };
    let again: NodeJS.Timeout | undefined;
    const end = (why: 'late' | 'stopped'): void => {
      ending.why ??= why;
      connection.interrupt();
      again ??= setInterval(() => connection.interrupt(), INTERRUPT_AGAIN);
    };
    const stop = (): void => end('stopped');
    const timer = setTimeout(end, Math.max(0, timeout), 'late');
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    try {
      const result = await work();
      if (ending.why !== null) throw new QueryFailure(ending.why);
      return result;
    } catch (error) {
      throw ending.why === null ? failureOf(error) : new QueryFailure(ending.why);
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** In this order: once external access is off, folders cannot be allowed; once it is locked, nothing can be set. */
function lockingDown({ readable, scratch }: EngineOptions): string[] {
  const folders = [...readable, scratch].map(literal).join(', ');
  return [
    `SET temp_directory = ${literal(join(scratch, 'spill'))}`,
    `SET TimeZone = 'UTC'`,
    `SET autoinstall_known_extensions = false`,
    `SET autoload_known_extensions = false`,
    `SET allow_community_extensions = false`,
    `SET allowed_directories = [${folders}]`,
    `SET enable_external_access = false`,
    `SET lock_configuration = true`,
  ];
}

/** What the caller's own work has thrown stays as it is. */
function failureOf(error: unknown): Error {
  if (error instanceof QueryFailure || error instanceof HttpProblem) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/^Out of Memory Error/.test(text)) return new QueryFailure('memory', error);
  if (/^(IO Error|HTTP Error)|No magic bytes|too small to be a Parquet file|cannot open file/i.test(text))
    return new QueryFailure('gone', error);
  if (/^(Conversion|Out of Range|Invalid Input) Error/.test(text)) return new QueryFailure('value', error);
  return new QueryFailure('fault', error);
}

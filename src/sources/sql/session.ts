/** One connection to PostgreSQL, in one transaction that cannot write. */
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type pg from 'pg';
import { messageOf } from '../../core/errors.ts';
import { fileReason } from '../../core/file-reason.ts';
import type { Millis } from '../../core/clock.ts';
import { SourceSettingError } from '../scanner.ts';
import { type Asked, scanError } from './errors.ts';

export interface Connecting {
  /** `postgres://…`, with what pg reads in it: sslmode, sslrootcert, options, … */
  url: string;
  /** Has the password, instead of the URL. */
  passwordFile: string | null;
  connectTimeout: Millis;
  /** Of one statement. */
  timeout: Millis;
}

export interface Column {
  name: string;
  oid: number;
}

/** Rows as PostgreSQL writes their values; null is SQL's NULL. */
export interface Rows {
  columns: readonly Column[];
  rows: readonly (readonly (string | null)[])[];
}

/** Rows that are fetched at once. */
const FETCHED = 1_000;
/** The server ends a statement that takes too long; a server that does not answer at all is left after this much more. */
const SILENCE = 5_000;
const TEXT = { getTypeParser: () => (text: string) => text };

export class Session {
  readonly #client: pg.Client;
  readonly #quote: (identifier: string) => string;
  readonly #place: string;

  private constructor(client: pg.Client, quote: (identifier: string) => string, place: string) {
    this.#client = client;
    this.#quote = quote;
    this.#place = place;
  }

  /**
   * Times are in UTC and dates in the style ISO, whatever the database's own settings are. All settings end with the transaction:
   * a connection that a pool (pgbouncer) hands to others is as before.
   *
   * @throws SourceAwayError, SourceSettingError
   */
  static async open(connecting: Connecting, signal: AbortSignal): Promise<Session> {
    const { default: postgres } = await import('pg');
    const place = placeOf(connecting.url);
    const socket = new Socket();
    const client = clientOf(postgres, socket, await withPassword(connecting), connecting);
    signal.throwIfAborted();
    // What fails is said by the statement that waits.
    client.on('error', () => undefined);
    // `client.end()` waits for the server, and a `connect()` that still waits for it would then never settle.
    const end = (): void => void socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    client.once('end', () => signal.removeEventListener('abort', end));
    const session = new Session(client, (name) => postgres.escapeIdentifier(name), place);
    try {
      await client.connect();
      await client.query('BEGIN READ ONLY');
      await client.query(
        `SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
           set_config('IntervalStyle', 'postgres', true), set_config('bytea_output', 'hex', true),
           set_config('extra_float_digits', '1', true), set_config('cursor_tuple_fraction', '1', true),
           set_config('statement_timeout', $1, true)`,
        [`${connecting.timeout}ms`],
      );
      return session;
    } catch (error) {
      end();
      signal.throwIfAborted();
      throw scanError(error, { place, key: null });
    }
  }

  /** The name as SQL has it, quoted. */
  identifier(...parts: readonly string[]): string {
    return parts.map(this.#quote).join('.');
  }

  /**
   * A statement that answers with few rows.
   *
   * @param key what of hippo.yaml it is made of, for errors
   */
  async ask(key: string, sql: string, values: readonly (string | null)[] = []): Promise<Rows> {
    return this.#query(sql, values, { place: this.#place, key });
  }

  /** The rows of a query, some at a time: each fetch may take `timeout`, and what is done with the rows takes as long as it takes. */
  async *read(
    { key, text }: { key: string; text?: string },
    sql: string,
    values: readonly (string | null)[] = [],
  ): AsyncGenerator<Rows> {
    await this.#declare({ key, ...(text === undefined ? {} : { text }) }, sql, values);
    for (;;) {
      const fetched = await this.#query(`FETCH ${FETCHED} FROM hippo`, [], { place: this.#place, key });
      yield fetched;
      if (fetched.rows.length < FETCHED) break;
    }
    await this.#query('CLOSE hippo', [], { place: this.#place, key });
  }

  /** The columns of a query, none of whose rows is computed. */
  async columns({ key, text }: { key: string; text: string }): Promise<readonly Column[]> {
    await this.#declare({ key, text }, text, []);
    return (await this.#query('FETCH 0 FROM hippo', [], { place: this.#place, key })).columns;
  }

  async #declare(
    about: { key: string; text?: string },
    sql: string,
    values: readonly (string | null)[],
  ): Promise<void> {
    const declare = 'DECLARE hippo NO SCROLL CURSOR FOR ';
    await this.#query(declare + sql, values, { place: this.#place, before: declare.length, ...about });
  }

  /** Does not wait for what the server still does. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  /** The protocol that takes one statement only, and its values apart from it. */
  async #query(text: string, values: readonly (string | null)[], asked: Asked): Promise<Rows> {
    const query = {
      text,
      values: [...values],
      queryMode: 'extended',
      rowMode: 'array' as const,
      types: TEXT,
    };
    try {
      const { fields, rows } = await this.#client.query<(string | null)[]>(query);
      return { columns: fields.map(({ name, dataTypeID: oid }) => ({ name, oid })), rows };
    } catch (error) {
      throw scanError(error, asked);
    }
  }
}

/**
 * @param socket not connected yet
 * @throws SourceSettingError when pg cannot use the URL: a file that it names is not there, or a setting in it is wrong
 */
function clientOf(
  { Client }: Pick<typeof pg, 'Client'>,
  socket: Socket,
  connectionString: string,
  { connectTimeout, timeout }: Connecting,
): pg.Client {
  try {
    return new Client({
      connectionString,
      stream: () => socket,
      connectionTimeoutMillis: connectTimeout,
      query_timeout: timeout + SILENCE,
      fallback_application_name: 'hippo',
      keepAlive: true,
    });
  } catch (error) {
    const next =
      (error as NodeJS.ErrnoException).path === undefined
        ? 'Correct sql.url'
        : 'Correct sslrootcert, sslcert or sslkey of sql.url, or make the file readable here';
    throw new SourceSettingError('sql.url cannot be used', {
      why: `${messageOf(error)}. ${next}`,
      cause: error,
    });
  }
}

/** The URL for people: without user, password and settings. */
export function placeOf(text: string): string {
  const { hostname, port, pathname, searchParams } = new URL(text);
  const socket = searchParams.get('host');
  const host = socket ?? decodeURIComponent(hostname);
  return `postgres://${host === '' ? 'localhost' : host}${port === '' ? '' : `:${port}`}${pathname}`;
}

/** @throws SourceSettingError when the file cannot be read */
async function withPassword({ url, passwordFile }: Connecting): Promise<string> {
  if (passwordFile === null) return url;
  const parsed = new URL(url);
  try {
    // As a parameter, because a URL of a socket has no host, and then no password of its own.
    parsed.searchParams.set('password', (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, ''));
  } catch (error) {
    throw new SourceSettingError('sql.password_file cannot be read', {
      why: fileReason(error),
      cause: error,
    });
  }
  return parsed.href;
}

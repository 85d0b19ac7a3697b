/**
 * The events of the frontier topic since the last look. The client tells of several messages perhaps the last only, and none while
 * this process is away; so each telling, and each start, is a reason to read the topic up to its end.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { topicName } from '../config/topics.ts';
import { messageOf } from '../core/errors.ts';
import { connectProject } from '../kafka/project.ts';
import { readUntilNow } from '../kafka/read-until-now.ts';
import { type Landing, eventOf, landingsOf } from './landings.ts';
import { isMissing, type TableSpec } from './partitions.ts';

export interface HistoryOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  folder: string;
  tables: readonly TableSpec[];
  land: (landings: readonly Landing[]) => Promise<void>;
  notice: (level: 'info' | 'warning', text: string) => void;
}

/** Clocks of programs that publish events may differ by so much, milliseconds. An event that is taken twice changes nothing. */
const OVERLAP = 300_000;
/** Before a look that failed is repeated. */
const AGAIN = 5_000;
const FILE = 'events-until';

export class History {
  readonly #options: HistoryOptions;
  readonly #stop = new AbortController();
  /** Epoch milliseconds: events before it have been taken. */
  #until: number;
  #running: Promise<void> | null = null;
  #isAsked = false;
  #hasFailed = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(options: HistoryOptions, until: number) {
    this.#options = options;
    this.#until = until;
  }

  /** At the first start it begins now: what landed before is visible without its event. */
  static async open(options: HistoryOptions): Promise<History> {
    const remembered = await untilIn(join(options.folder, FILE));
    const history = new History(options, remembered ?? Date.now());
    if (remembered === null) await history.#remember();
    return history;
  }

  /** Reads in the background, and once more where it is asked for meanwhile. */
  look(): void {
    this.#isAsked = true;
    this.#running ??= this.#lookOn().finally(() => {
      this.#running = null;
    });
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the service ends'));
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /** A method, since it changes while others are awaited. */
  #isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #lookOn(): Promise<void> {
    while (this.#isAsked && !this.#isClosed()) {
      this.#isAsked = false;
      try {
        await this.#read();
        this.#hasFailed = false;
      } catch (error) {
        if (this.#isClosed()) return;
        if (!this.#hasFailed)
          this.#options.notice('warning', `events cannot be read: ${messageOf(error)}; it is tried again`);
        this.#hasFailed = true;
        this.#timer = setTimeout(() => this.look(), AGAIN);
      }
    }
  }

  async #read(): Promise<void> {
    const { loaded, env, tables, land } = this.#options;
    const kafka = await connectProject(loaded, env, this.#stop.signal);
    try {
      const landings: Landing[] = [];
      let until = this.#until;
      await readUntilNow(
        kafka,
        topicName(loaded.config, 'frontier'),
        until - OVERLAP,
        ({ value, timestamp }) => {
          until = Math.max(until, Math.min(timestamp, Date.now()));
          const event = value === null ? null : eventOf(value.toString());
          if (event !== null) landings.push(...landingsOf(event, tables));
        },
      );
      if (landings.length > 0) await land(landings);
      this.#until = until;
      await this.#remember();
    } finally {
      await kafka.close();
    }
  }

  async #remember(): Promise<void> {
    const file = join(this.#options.folder, FILE);
    await writeFile(`${file}.part`, `${this.#until}\n`, { mode: 0o600 });
    await rename(`${file}.part`, file);
  }
}

async function untilIn(file: string): Promise<number | null> {
  try {
    const until = Number((await readFile(file, 'utf8')).trim());
    return Number.isSafeInteger(until) && until > 0 ? until : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

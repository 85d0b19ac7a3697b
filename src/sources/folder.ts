/** A folder of partitions on this machine, or on a mount. */
import { type BigIntStats, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import type { Millis } from '../core/clock.ts';
import { within } from '../core/deadline.ts';
import { formatDuration } from '../core/duration.ts';
import { fileReason } from '../core/file-reason.ts';
import { look } from '../core/looks.ts';
import {
  type Entry,
  type FileState,
  type Names,
  type OpenPlace,
  type Place,
  UnreadableError,
} from './place.ts';
import { SourceAwayError } from './scanner.ts';
import { Walker, type WalkOptions } from './walker.ts';

export interface FolderOptions extends WalkOptions {
  folder: string;
  /** Something is mounted at the folder: while nothing is, the folder is away. */
  isMount: boolean;
  /** How long a look may take, milliseconds. [default: 1 min] */
  patience?: Millis;
}

const AWAY_CODES = [
  ...['ENOENT', 'ENOTDIR', 'EIO', 'ESTALE', 'ENODEV'],
  ...['ENOTCONN', 'ECONNABORTED', 'EHOSTDOWN', 'ETIMEDOUT'],
];
/** How long a look at one file or folder may take, milliseconds. A list of a million names on a slow mount takes tens of seconds. */
const PATIENCE = 60_000;
/** How long a new scan waits for looks of the one before, milliseconds. */
const LEFT_OVER = 1_000;
/**
 * libuv has four threads for all files and name look-ups of the client. All folders together use three of them: so a mount that
 * does not answer never holds the last one.
 */
const threads = pLimit(3);

export class FolderScanner extends Walker {
  constructor({ folder, isMount, patience = PATIENCE, ...options }: FolderOptions) {
    super(new Folder(folder, isMount, patience), options, 'check that it is mounted');
  }
}

class Folder implements Place, OpenPlace {
  readonly name: string;
  readonly atOnce = 2;
  readonly hasHalfWrittenFiles = true;
  readonly #isMount: boolean;
  readonly #patience: Millis;
  /** What has not been answered, also of former scans. */
  readonly #asked = new Set<Promise<unknown>>();

  constructor(path: string, isMount: boolean, patience: Millis) {
    this.name = path;
    this.#isMount = isMount;
    this.#patience = patience;
  }

  pathOf(names: Names): string {
    return join(this.name, ...names);
  }

  async open(): Promise<OpenPlace> {
    await this.#requireAnswers();
    const found = await this.#there(() => stat(this.name), this.name);
    if (!found.isDirectory()) throw this.#away(`${this.name} is not a folder`);
    const above = dirname(this.name);
    if (this.#isMount && found.dev === (await this.#there(() => stat(above), above)).dev)
      throw this.#away('nothing is mounted there');
    return this;
  }

  async list(names: Names): Promise<Entry[] | null> {
    const path = this.pathOf(names);
    const found = await this.#orNull(() => readdir(path, { withFileTypes: true }), path);
    if (found === null) return null;
    const entries: Entry[] = [];
    for (const entry of found)
      entries.push({ name: entry.name, isFolder: await this.#isFolder(path, entry) });
    return entries;
  }

  async file(names: Names): Promise<FileState | null> {
    const path = this.pathOf(names);
    const found = await this.#orNull(() => stat(path, { bigint: true }), path);
    return found === null || found.isDirectory()
      ? null
      : { time: Number(found.mtimeMs), print: printOf(found) };
  }

  close(): void {
    // Nothing is kept open between two calls.
  }

  /** @returns null where there is none below the folder */
  async #orNull<T>(call: () => Promise<T>, path: string): Promise<T | null> {
    try {
      return await this.#ask(call);
    } catch (error) {
      if (path !== this.name && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw this.#failed(path, error);
    }
  }

  async #there<T>(call: () => Promise<T>, path: string): Promise<T> {
    try {
      return await this.#ask(call);
    } catch (error) {
      throw this.#failed(path, error);
    }
  }

  /**
   * Scans make no further look while one of a former scan has not returned: each would hold a thread.
   *
   * @throws SourceAwayError
   */
  async #requireAnswers(): Promise<void> {
    if (this.#asked.size === 0) return;
    const answered = Promise.allSettled(this.#asked).then(() => true);
    if (!(await within(answered, { millis: LEFT_OVER, late: () => false }))) throw this.#silent();
  }

  /** @throws SourceAwayError if there is no answer in time */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    const asked = threads(() => look(call));
    this.#asked.add(asked);
    const answered = (): void => void this.#asked.delete(asked);
    asked.then(answered, answered);
    return within(asked, {
      millis: this.#patience,
      late: () => {
        throw this.#silent();
      },
    });
  }

  async #isFolder(path: string, entry: Dirent): Promise<boolean> {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    try {
      return (await this.#ask(() => stat(join(path, entry.name)))).isDirectory();
    } catch (error) {
      if (error instanceof SourceAwayError) throw error;
      return false;
    }
  }

  #silent(): SourceAwayError {
    return this.#away(`it has not answered for ${formatDuration(this.#patience)}`);
  }

  #failed(path: string, error: unknown): SourceAwayError {
    if (error instanceof SourceAwayError) return error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (path === this.name && AWAY_CODES.includes(code)) return this.#away(fileReason(error), error);
    return new UnreadableError(`${path} cannot be read`, { why: fileReason(error), cause: error });
  }

  #away(why: string, cause?: unknown): SourceAwayError {
    return new SourceAwayError(`the folder ${this.name} is away`, { why, cause });
  }
}

/** Changes when a file is written again: with its time or its size. Mounts differ in what is finer than a millisecond. */
function printOf({ mtimeMs, size }: BigIntStats): string {
  return `${mtimeMs}/${size}`;
}

/** A folder of partitions on this machine, or on a mount. */
import { type BigIntStats, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../core/errors.ts';
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
}

const AWAY_CODES = ['ENOENT', 'ENOTDIR', 'EIO', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'ETIMEDOUT', 'ENODEV'];

export class FolderScanner extends Walker {
  constructor({ folder, isMount, ...options }: FolderOptions) {
    super(new Folder(folder, isMount), options);
  }
}

class Folder implements Place, OpenPlace {
  readonly name: string;
  /** libuv has four threads for all files and name look-ups of the client. */
  readonly atOnce = 2;
  readonly #isMount: boolean;

  constructor(path: string, isMount: boolean) {
    this.name = path;
    this.#isMount = isMount;
  }

  pathOf(names: Names): string {
    return join(this.name, ...names);
  }

  async open(): Promise<OpenPlace> {
    const found = await this.#there(stat(this.name), this.name);
    if (!found.isDirectory()) throw this.#away(`${this.name} is not a folder`);
    const above = dirname(this.name);
    if (this.#isMount && found.dev === (await this.#there(stat(above), above)).dev)
      throw this.#away('nothing is mounted there');
    return this;
  }

  async list(names: Names): Promise<Entry[] | null> {
    const path = this.pathOf(names);
    const found = await this.#orNull(readdir(path, { withFileTypes: true }), path);
    if (found === null) return null;
    const entries: Entry[] = [];
    for (const entry of found) entries.push({ name: entry.name, isFolder: await isFolder(path, entry) });
    return entries;
  }

  async file(names: Names): Promise<FileState | null> {
    const path = this.pathOf(names);
    const found = await this.#orNull(stat(path, { bigint: true }), path);
    return found === null || found.isDirectory()
      ? null
      : { time: Number(found.mtimeMs), print: printOf(found) };
  }

  close(): void {
    // Nothing is kept open between two calls.
  }

  /** @returns null where there is none below the folder */
  async #orNull<T>(asked: Promise<T>, path: string): Promise<T | null> {
    try {
      return await asked;
    } catch (error) {
      if (path !== this.name && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw this.#failed(path, error);
    }
  }

  async #there<T>(asked: Promise<T>, path: string): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      throw this.#failed(path, error);
    }
  }

  #failed(path: string, error: unknown): SourceAwayError {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (path === this.name && AWAY_CODES.includes(code)) return this.#away(messageOf(error), error);
    return new UnreadableError(`${path} cannot be read`, { why: messageOf(error), cause: error });
  }

  #away(why: string, cause?: unknown): SourceAwayError {
    return new SourceAwayError(`the folder ${this.name} is away`, { why, cause });
  }
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return (await stat(join(path, entry.name)).catch(() => null))?.isDirectory() === true;
}

/** Changes when a file is written again: with its time or its size. Mounts differ in what is finer than a millisecond. */
function printOf({ mtimeMs, size }: BigIntStats): string {
  return `${mtimeMs}/${size}`;
}

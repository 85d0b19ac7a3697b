/** A folder of partitions on this machine, or on a mount. */
import { type BigIntStats, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { parsePartitionPath, partitionPath } from '../messages/index.ts';
import { type Levels, isHidden, isTemporary, partitionOf, refusalOf } from './levels.ts';
import { type FoundLanding, PartlyAwayError, type Scanner, type Skip, SourceAwayError } from './scanner.ts';

export interface FolderOptions {
  folder: string;
  levels: Levels;
  /** The file that says that a partition is complete; null: it is when its files do not change any more. */
  marker: string | null;
  /** Something is mounted at the folder: while nothing is, the folder is away. */
  isMount: boolean;
}

/** @param error why it is not known what is there */
type OnSkip = (skip: Skip, error?: SourceAwayError) => void;

type Skipped = Skip & { error?: SourceAwayError };

/** So many partitions are looked at at once: libuv has four threads for all files and name look-ups of the client. */
const AT_ONCE = 2;
const AWAY_CODES = ['ENOENT', 'ENOTDIR', 'EIO', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'ETIMEDOUT', 'ENODEV'];

export class FolderScanner implements Scanner {
  readonly place: string;
  readonly #options: FolderOptions;

  constructor(options: FolderOptions) {
    this.#options = options;
    this.place = options.folder;
  }

  async *scan(signal: AbortSignal, onSkip: (skip: Skip) => void): AsyncGenerator<readonly FoundLanding[]> {
    await this.#requireFolder();
    const failed: SourceAwayError[] = [];
    yield* this.#level([], signal, (skip, error) => {
      onSkip(skip);
      if (error !== undefined) failed.push(error);
    });
    // The rest has been listed, but what is in there is not known.
    const [first] = failed;
    if (first !== undefined) throw new PartlyAwayError(first.message, { why: first.why, cause: first });
  }

  async #requireFolder(): Promise<void> {
    const { folder, isMount } = this.#options;
    const found = await this.#there(stat(folder), folder);
    if (!found.isDirectory()) throw this.#away(`${folder} is not a folder`);
    if (isMount && found.dev === (await this.#there(stat(dirname(folder)), dirname(folder))).dev)
      throw this.#away('nothing is mounted there');
  }

  async *#level(
    names: readonly string[],
    signal: AbortSignal,
    onSkip: OnSkip,
  ): AsyncGenerator<readonly FoundLanding[]> {
    signal.throwIfAborted();
    const { folder, levels } = this.#options;
    const level = levels[names.length];
    if (level === undefined) {
      yield await this.#landings([names], onSkip);
      return;
    }
    const path = join(folder, ...names);
    const folders: string[][] = [];
    /** Values as they are read → the name. */
    const read = new Map<string, string>();
    for (const entry of await this.#listOrSkip(path, onSkip)) {
      if (isHidden(entry.name)) continue;
      const value = canonical(entry.name);
      const twin = read.get(value);
      const reason = !(await isFolder(path, entry))
        ? 'it is not a folder'
        : (refusalOf(level, entry.name) ??
          (twin === undefined ? undefined : `it is the same partition as ${twin}`));
      if (reason === undefined) {
        folders.push([...names, entry.name]);
        read.set(value, entry.name);
      } else onSkip({ path: join(path, entry.name), reason, isUnfinished: false });
    }
    if (names.length + 1 < levels.length) {
      for (const inner of folders) yield* this.#level(inner, signal, onSkip);
      return;
    }
    for (let from = 0; from < folders.length; from += AT_ONCE) {
      signal.throwIfAborted();
      yield await this.#landings(folders.slice(from, from + AT_ONCE), onSkip);
    }
  }

  async #landings(folders: readonly (readonly string[])[], onSkip: OnSkip): Promise<FoundLanding[]> {
    const { folder, levels } = this.#options;
    const looked = await Promise.all(
      folders.map(async (names): Promise<FoundLanding | Skipped> => {
        const path = join(folder, ...names);
        const read = partitionOf(levels, names);
        if (!read.ok) return { path, reason: read.reason, isUnfinished: false };
        const state = await this.#stateOf(path).catch((error: unknown) => asFailure(error));
        if (state instanceof SourceAwayError && isGone(state))
          return { path, reason: 'it has gone', isUnfinished: true };
        if (state instanceof SourceAwayError)
          return { path, reason: state.why ?? state.message, isUnfinished: false, error: state };
        if ('reason' in state) return { path, reason: state.reason, isUnfinished: true };
        return { id: partitionPath(read.partition), partition: read.partition, ...state };
      }),
    );
    return looked.filter((one): one is FoundLanding => {
      if ('id' in one) return true;
      const { error, ...skip } = one;
      onSkip(skip, error);
      return false;
    });
  }

  async #stateOf(path: string): Promise<{ landedAt: number; found: string } | { reason: string }> {
    const { marker } = this.#options;
    if (marker === null) return this.#stateOfFiles(path);
    const found = await this.#stat(join(path, marker));
    return found?.isFile() !== true
      ? { reason: `it has no ${marker}` }
      : { landedAt: Number(found.mtimeMs), found: printOf(found) };
  }

  /** Of all files below it: the newest time, and a text that changes with each of them. */
  async #stateOfFiles(path: string): Promise<{ landedAt: number; found: string } | { reason: string }> {
    const prints: string[] = [];
    let landedAt = 0;
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of await this.#list(folder)) {
        const inner = join(folder, entry.name);
        if (isHidden(entry.name)) continue;
        if (isTemporary(entry.name)) return { reason: `${inner} is being written` };
        const found = await this.#stat(inner);
        // It was renamed since the folder was listed.
        if (found === null) return { reason: `${inner} is being written` };
        if (found.isDirectory()) folders.push(inner);
        else {
          // Below the partition: another machine may have it at another path.
          prints.push(`${relative(path, inner)}:${printOf(found)}`);
          landedAt = Math.max(landedAt, Number(found.mtimeMs));
        }
      }
    }
    if (prints.length === 0) return { reason: 'it has no files' };
    return { landedAt, found: prints.toSorted().join('\n') };
  }

  async #listOrSkip(path: string, onSkip: OnSkip): Promise<Dirent[]> {
    try {
      return await this.#list(path);
    } catch (error) {
      const failure = asFailure(error);
      if (path === this.#options.folder) throw failure;
      if (isGone(failure)) return [];
      onSkip({ path, reason: failure.why ?? failure.message, isUnfinished: false }, failure);
      return [];
    }
  }

  async #list(path: string): Promise<Dirent[]> {
    const entries = await this.#there(readdir(path, { withFileTypes: true }), path);
    return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** @returns null where there is none */
  async #stat(path: string): Promise<BigIntStats | null> {
    try {
      return await stat(path, { bigint: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
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
    if (path === this.#options.folder && AWAY_CODES.includes(code))
      return this.#away(messageOf(error), error);
    return new SourceAwayError(`${path} cannot be read`, { why: messageOf(error), cause: error });
  }

  #away(why: string, cause?: unknown): SourceAwayError {
    return new SourceAwayError(`the folder ${this.#options.folder} is away`, { why, cause });
  }
}

/** It was there a moment ago: it has been removed, or is being replaced. */
function isGone({ cause }: SourceAwayError): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

function asFailure(error: unknown): SourceAwayError {
  if (error instanceof SourceAwayError) return error;
  throw error;
}

/** `a=%41` and `a=A` are one partition. */
function canonical(name: string): string {
  return partitionPath(parsePartitionPath(name) ?? [{ name: '', value: name }]);
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return (await stat(join(path, entry.name)).catch(() => null))?.isDirectory() === true;
}

/** Changes when a file is written again: with its time or its size. Mounts differ in what is finer than a millisecond. */
function printOf({ mtimeMs, size }: BigIntStats): string {
  return `${mtimeMs}/${size}`;
}

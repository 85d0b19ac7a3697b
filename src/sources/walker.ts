/** Finds the partitions of a place: which folders are levels, what has landed, and what is skipped. */
import pLimit from 'p-limit';
import { pMapIterable } from 'p-map';
import { pause } from '../core/deadline.ts';
import { parsePartitionPath, partitionPath } from '../messages/index.ts';
import { type Levels, isHidden, isTemporary, partitionOf, refusalOf } from './levels.ts';
import {
  type Entry,
  type FileState,
  type Names,
  type OpenPlace,
  type Place,
  UnreadableError,
} from './place.ts';
import { type FoundLanding, PartlyAwayError, type ScanOptions, type Scanner, type Skip } from './scanner.ts';

export interface WalkOptions {
  levels: Levels;
  /** The file that says that a partition is complete; null: it is when its files do not change any more. */
  marker: string | null;
}

/** @property error why it is not known what is there */
type Skipped = Skip & { error?: UnreadableError };

/** Of a partition: what it is known by, or why it has not landed. */
type Landed = { landedAt: number; found: string } | { reason: string };

/** A marker that is younger may not have its content yet, milliseconds. */
const FRESH = 1_000;

/** The scanner of all places that have partitions in folders. */
export class Walker implements Scanner {
  readonly #place: Place;
  readonly #options: WalkOptions;
  readonly ifEmpty: string;

  constructor(place: Place, options: WalkOptions, ifEmpty: string) {
    this.#place = place;
    this.#options = options;
    this.ifEmpty = ifEmpty;
  }

  get place(): string {
    return this.#place.name;
  }

  async *scan(
    signal: AbortSignal,
    onSkip: (skip: Skip) => void,
    { onWait = () => undefined }: ScanOptions = {},
  ): AsyncGenerator<readonly FoundLanding[]> {
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const open = await this.#place.open({ signal: stop, onWait });
    // The levels of folders are asked side by side, and share what the place allows.
    const limit = pLimit(this.#place.atOnce);
    const ask: Asking = {
      list: (names) => limit(() => open.list(names)),
      file: (names) => limit(() => open.file(names)),
    };
    try {
      yield* new Walk({ ...this.#options, place: this.#place, ask, signal, onSkip }).landings();
    } finally {
      over.abort();
      open.close();
    }
  }
}

type Asking = Pick<OpenPlace, 'list' | 'file'>;

interface WalkContext extends WalkOptions {
  place: Place;
  ask: Asking;
  signal: AbortSignal;
  onSkip: (skip: Skip) => void;
}

/** One scan. */
class Walk {
  readonly #context: WalkContext;
  /** The first of those that could not be read. */
  #failure: UnreadableError | undefined;

  constructor(context: WalkContext) {
    this.#context = context;
  }

  async *landings(): AsyncGenerator<readonly FoundLanding[]> {
    const { levels, signal } = this.#context;
    let folders: AsyncIterable<Names> | Iterable<Names> = [[]];
    for (const level of levels) folders = this.#below(folders, level);
    const fresh: Names[] = [];
    for await (const looked of this.#each(folders, (names) => this.#look(names))) {
      signal.throwIfAborted();
      if ('fresh' in looked) fresh.push(looked.fresh);
      else if ('id' in looked) yield [looked];
      else this.#skip(looked);
    }
    yield* this.#lookAgain(fresh);
    // The rest has been listed, but what is in there is not known.
    const failure = this.#failure;
    if (failure !== undefined)
      throw new PartlyAwayError(failure.message, { why: failure.why, cause: failure });
  }

  /** What is the same a moment later has its content. One pause is enough for all of them. */
  async *#lookAgain(fresh: readonly Names[]): AsyncGenerator<readonly FoundLanding[]> {
    const { signal } = this.#context;
    if (fresh.length === 0) return;
    await pause(FRESH, signal);
    for await (const looked of this.#each(fresh, (names) => this.#look(names, 'again'))) {
      signal.throwIfAborted();
      if ('id' in looked) yield [looked];
      else if ('reason' in looked) this.#skip(looked);
    }
  }

  /** The folders of the next level. */
  async *#below(
    parents: AsyncIterable<Names> | Iterable<Names>,
    level: Levels[number],
  ): AsyncGenerator<Names> {
    const { signal } = this.#context;
    for await (const { folders, skips } of this.#each(parents, (names) => this.#children(names, level))) {
      signal.throwIfAborted();
      for (const skip of skips) this.#skip(skip);
      yield* folders;
    }
  }

  /** The answers come in the order of the questions. */
  #each<R>(
    folders: AsyncIterable<Names> | Iterable<Names>,
    ask: (names: Names) => Promise<R>,
  ): AsyncIterable<R> {
    return pMapIterable(folders, ask, { concurrency: this.#context.place.atOnce }) as AsyncIterable<R>;
  }

  async #children(
    names: Names,
    level: Levels[number],
  ): Promise<{ folders: readonly Names[]; skips: readonly Skipped[] }> {
    const { place, ask } = this.#context;
    const folders: Names[] = [];
    const skips: Skipped[] = [];
    try {
      const entries = sorted(await ask.list(names)).filter(({ name }) => !isHidden(name));
      const chosen = chosenNames(entries, level);
      for (const { name, isFolder } of entries) {
        const twin = chosen.get(canonical(name));
        const reason = !isFolder
          ? 'it is not a folder'
          : (refusalOf(level, name) ??
            (twin === name ? undefined : `it is the same partition as ${twin ?? ''}, which is taken`));
        if (reason === undefined) folders.push([...names, name]);
        else skips.push({ path: place.pathOf([...names, name]), reason, isUnfinished: false });
      }
    } catch (error) {
      if (names.length === 0) throw error;
      skips.push(this.#unreadable(names, error));
    }
    return { folders, skips };
  }

  async #look(
    names: Names,
    which: 'first' | 'again' = 'first',
  ): Promise<FoundLanding | Skipped | { fresh: Names }> {
    const { levels, place } = this.#context;
    const path = place.pathOf(names);
    const read = partitionOf(levels, names);
    if (!read.ok) return { path, reason: read.reason, isUnfinished: false };
    try {
      const state = await this.#stateOf(names);
      if ('reason' in state) return { path, reason: state.reason, isUnfinished: true };
      if (which === 'first' && this.#mayBeHalfWritten(state)) return { fresh: names };
      return { id: partitionPath(read.partition), partition: read.partition, ...state };
    } catch (error) {
      return this.#unreadable(names, error);
    }
  }

  /** Without a marker, a landing has to be the same for `settle`. */
  #mayBeHalfWritten({ landedAt }: { landedAt: number }): boolean {
    const { marker, place } = this.#context;
    return marker !== null && place.hasHalfWrittenFiles && Date.now() - landedAt < FRESH;
  }

  async #stateOf(names: Names): Promise<Landed> {
    const { marker, ask } = this.#context;
    if (marker === null) return this.#stateOfFiles(names);
    const found = await ask.file([...names, marker]);
    return found === null ? { reason: `it has no ${marker}` } : { landedAt: found.time, found: found.print };
  }

  /** Of all files below it: the newest time, and a text that changes with each of them. */
  async #stateOfFiles(partition: Names): Promise<Landed> {
    const { place, ask } = this.#context;
    const prints: string[] = [];
    let landedAt = 0;
    const folders = [partition];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const entries = await ask.list(folder);
      // It was there a moment ago: it has been removed, or is being replaced.
      if (entries === null) return { reason: 'it has gone' };
      for (const { name, isFolder, file } of sorted(entries)) {
        const inner = [...folder, name];
        if (isHidden(name)) continue;
        const beingWritten = { reason: `${place.pathOf(inner)} is being written` };
        if (isTemporary(name)) return beingWritten;
        if (isFolder) {
          folders.push(inner);
          continue;
        }
        const state: FileState | null = file ?? (await ask.file(inner));
        // It was renamed since the folder was listed.
        if (state === null) return beingWritten;
        // Named from the partition on: another machine may have it at another path.
        prints.push(`${inner.slice(partition.length).join('/')}:${state.print}`);
        landedAt = Math.max(landedAt, state.time);
      }
    }
    if (prints.length === 0) return { reason: 'it has no files' };
    return { landedAt, found: prints.toSorted().join('\n') };
  }

  #skip({ error, ...skip }: Skipped): void {
    this.#context.onSkip(skip);
    this.#failure ??= error;
  }

  /** @throws the error if it is not about one path */
  #unreadable(names: Names, error: unknown): Skipped {
    if (!(error instanceof UnreadableError)) throw error;
    const path = this.#context.place.pathOf(names);
    return { path, reason: error.why ?? error.message, isUnfinished: false, error };
  }
}

function sorted<T extends { readonly name: string }>(entries: readonly T[] | null): T[] {
  return (entries ?? []).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * `a=%41` and `a=A` are one partition, and Hive looks for the second one only. So of several names the one that Hive writes is
 * taken, else the first.
 *
 * @returns the partition as Hive writes it → the name that is taken
 */
function chosenNames(entries: readonly Entry[], level: Levels[number]): Map<string, string> {
  const chosen = new Map<string, string>();
  for (const { name, isFolder } of entries) {
    if (!isFolder || refusalOf(level, name) !== undefined) continue;
    const written = canonical(name);
    if (name === written || !chosen.has(written)) chosen.set(written, name);
  }
  return chosen;
}

/** As Hive writes it. */
function canonical(name: string): string {
  return partitionPath(parsePartitionPath(name) ?? [{ name: '', value: name }]);
}

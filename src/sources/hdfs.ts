/** A folder of partitions in HDFS, by WebHDFS (https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html). */
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import { NameNodes, type NameNodesOptions, RefusedError, SilentError } from './namenodes.ts';
import {
  type Entry,
  type FileState,
  type Names,
  type OpenPlace,
  type Place,
  type ScanContext,
  UnreadableError,
} from './place.ts';
import { SourceAwayError } from './scanner.ts';
import { Walker, type WalkOptions } from './walker.ts';

export interface HdfsOptions extends WalkOptions, NameNodesOptions {
  /** From the root on: `/warehouse/orders`. */
  path: string;
}

export class HdfsScanner extends Walker {
  constructor({ path, levels, marker, ...options }: HdfsOptions) {
    super(new HdfsPlace(path, new NameNodes(options)), { levels, marker }, 'check hdfs.path');
  }
}

class HdfsPlace implements Place {
  readonly name: string;
  readonly atOnce = 8;
  readonly hasHalfWrittenFiles = true;
  readonly #path: string;
  readonly #nodes: NameNodes;

  constructor(path: string, nodes: NameNodes) {
    this.#path = path.replace(/\/+$/, '');
    this.#nodes = nodes;
    this.name = this.pathOf([]);
  }

  pathOf(names: Names): string {
    return `hdfs:${this.inHdfs(names)}`;
  }

  /** The path from HDFS's root on. */
  inHdfs(names: Names): string {
    const path = [this.#path, ...names].join('/');
    return path === '' ? '/' : path;
  }

  async open({ signal }: ScanContext): Promise<OpenPlace> {
    const open = new OpenHdfs(this, this.#nodes, signal);
    await open.requireFolder();
    return open;
  }
}

class OpenHdfs implements OpenPlace {
  readonly #place: HdfsPlace;
  readonly #nodes: NameNodes;
  readonly #signal: AbortSignal;

  constructor(place: HdfsPlace, nodes: NameNodes, signal: AbortSignal) {
    this.#place = place;
    this.#nodes = nodes;
    this.#signal = signal;
  }

  async requireFolder(): Promise<void> {
    const status = await this.#status([]);
    if (status === null) throw this.#away('there is no such folder in HDFS');
    if (!isFolder(status)) throw this.#away('it is not a folder');
  }

  /** In pages, of dfs.ls.limit (1,000) entries each. */
  async list(names: Names): Promise<Entry[] | null> {
    const entries: Entry[] = [];
    let after: string | undefined;
    let remaining: number;
    do {
      // A NameNode reads the value of `startAfter` twice, so that `%3A` is `:`. (It writes its name in small letters, and again.)
      const query = after === undefined ? {} : { startafter: after };
      const answer = await this.#ask(names, 'LISTSTATUS_BATCH', query);
      if (answer === null) return names.length === 0 ? this.#missingRoot() : null;
      const { statuses, remainingEntries } = this.#page(answer);
      for (const status of statuses) {
        const name = status['pathSuffix'];
        if (typeof name !== 'string' || name === '') continue;
        after = name;
        entries.push(
          isFolder(status) ? { name, isFolder: true } : { name, isFolder: false, file: stateOf(status) },
        );
      }
      remaining = statuses.length === 0 ? 0 : remainingEntries;
    } while (remaining > 0);
    return entries;
  }

  async file(names: Names): Promise<FileState | null> {
    const status = await this.#status(names);
    return status === null || isFolder(status) ? null : markerOf(status);
  }

  close(): void {
    // Connections are shared by all of this process.
  }

  async #status(names: Names): Promise<JsonObject | null> {
    const answer = await this.#ask(names, 'GETFILESTATUS');
    if (answer === null) return null;
    const { FileStatus: status } = answer;
    if (!isJsonObject(status)) throw this.#away('the answer has no FileStatus: it is not that of WebHDFS');
    return status;
  }

  #page(answer: JsonObject): { statuses: readonly JsonObject[]; remainingEntries: number } {
    const { DirectoryListing: listing } = answer;
    const { partialListing: partial, remainingEntries } = isJsonObject(listing) ? listing : {};
    const { FileStatuses: statuses } = isJsonObject(partial) ? partial : {};
    const { FileStatus: list } = isJsonObject(statuses) ? statuses : {};
    if (!Array.isArray(list) || typeof remainingEntries !== 'number')
      throw this.#away('the answer has no DirectoryListing: it is not that of WebHDFS');
    return { statuses: list.filter(isJsonObject), remainingEntries };
  }

  async #ask(
    names: Names,
    op: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<JsonObject | null> {
    const path = this.#place.inHdfs(names);
    try {
      return await this.#nodes.ask({ path, op, query }, this.#signal);
    } catch (error) {
      if (error instanceof SilentError)
        throw this.#away(`no NameNode answers as the active one: ${error.message}`, error);
      if (!(error instanceof RefusedError)) throw error;
      const why = `${error.message} (asked as ${this.#nodes.user})`;
      // Rights differ from folder to folder. All else is so of the rest too.
      if (error.exception !== 'AccessControlException' || names.length === 0) throw this.#away(why, error);
      throw new UnreadableError(`${this.#place.pathOf(names)} cannot be read`, { why, cause: error });
    }
  }

  #missingRoot(): never {
    throw this.#away('there is no such folder in HDFS');
  }

  #away(why: string, cause?: unknown): SourceAwayError {
    return new SourceAwayError(`${this.#place.name} is away`, { why, cause });
  }
}

function isFolder({ type }: JsonObject): boolean {
  return type === 'DIRECTORY';
}

/** Changes when a file is written again: with its time or its size. */
function stateOf({ modificationTime, length }: JsonObject): FileState {
  const [time, size] = [numberOf(modificationTime), numberOf(length)];
  return { time, print: `${time}/${size}` };
}

/**
 * HDFS sets the time of a file when it is created, and again when it is closed: to a scan in between, a marker must not seem
 * to be written twice. Each file that is written has an id of its own. (Gateways such as HttpFS may not tell it.)
 */
function markerOf(status: JsonObject): FileState {
  const { fileId } = status;
  const state = stateOf(status);
  return typeof fileId === 'number' ? { ...state, print: `${fileId}/${numberOf(status['length'])}` } : state;
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

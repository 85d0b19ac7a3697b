/** What a walker asks of a place that has partitions: a folder, a bucket of S3, a folder of HDFS. */
import type { Millis } from '../core/clock.ts';
import { SourceAwayError } from './scanner.ts';

/** The names of folders, from the place on: `['dt=2017-04-28', 'region=us']`. Without any it is the place itself. */
export type Names = readonly string[];

/** What is in a folder. */
export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  /** Of a file, if the list says it. */
  readonly file?: FileState;
}

export interface FileState {
  /** When it was written, epoch milliseconds. */
  readonly time: Millis;
  /** Changes when the file is written again. */
  readonly print: string;
}

export interface Place {
  /** For messages: `/data/orders`, `s3://bucket/orders/`. */
  readonly name: string;
  /** So many requests of one scan may be under way. */
  readonly atOnce: number;
  /** A file appears before it has its content, so that a look may come between the two. */
  readonly hasHalfWrittenFiles: boolean;
  /** The path in messages. */
  pathOf(names: Names): string;
  /**
   * Begins a scan.
   *
   * @throws SourceAwayError if it is known already that nothing can be listed
   */
  open(scan: ScanContext): Promise<OpenPlace>;
}

export interface ScanContext {
  /** Aborted when the scan is over, for whatever reason. */
  readonly signal: AbortSignal;
  /** Called when the scan waits for long, with a sentence for the log. */
  readonly onWait: (text: string) => void;
}

/**
 * Each method throws {@link UnreadableError} if this one path cannot be read, and any other SourceAwayError if the place is
 * away, which ends the scan.
 */
export interface OpenPlace {
  /** All that is in a folder, in any order; null: there is no such folder any more. */
  list(names: Names): Promise<readonly Entry[] | null>;
  /** @returns null if there is no file of that name */
  file(names: Names): Promise<FileState | null>;
  close(): void;
}

/** One path of a place cannot be read. The others may be. */
export class UnreadableError extends SourceAwayError {}

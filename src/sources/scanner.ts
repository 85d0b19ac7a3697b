/** What a source lists, whatever it watches. */
import { ServiceError, UserError } from '../core/errors.ts';
import type { Millis } from '../core/clock.ts';
import type { Watermark } from '../core/watermark.ts';
import type { Partition } from '../messages/types.ts';

/** Something that has landed. */
export interface FoundLanding {
  /** Names it in its source for ever: the partition's path, or the idempotency key of a request. */
  readonly id: string;
  readonly partition: Partition;
  /** The time of the marker, file or row, epoch milliseconds: the event's exec_date. */
  readonly landedAt: Millis;
  /** All of what was found that makes a re-landing when it changes, e.g. a marker's time and size. */
  readonly found: string;
}

/** What is where a landing could be, and is none. */
export interface Skip {
  readonly path: string;
  readonly reason: string;
  /** It is being written: it may be a landing at the next scan. */
  readonly isUnfinished: boolean;
}

export interface Scanner {
  /** Where it looks, for messages: `/data/orders`, `s3://bucket/orders`. */
  readonly place: string;
  /** Loads the code of its scans. A client does so when it starts: later, another version may have taken the files' place. */
  prepare?(): Promise<void>;
  /**
   * - `all`: what it does not list is not there. That it lists nothing at all is a sign that something is wrong with the place.
   * - `any number`: the same, but nothing may be there.
   * - `news`: it lists what has changed since its watermark. What it does not list may be there.
   */
  readonly lists?: 'all' | 'any number' | 'news';
  /** What to do when it lists nothing although landings are known: `check that it is mounted`. */
  readonly ifEmpty?: string;
  /**
   * Lists all that has landed, each once, in the order of the paths.
   *
   * @param onSkip called once for each thing that is skipped
   * @throws SourceAwayError when it cannot be listed to the end
   * @throws SourceSettingError when it never can be, as it is set
   */
  scan(
    signal: AbortSignal,
    onSkip: (skip: Skip) => void,
    options?: ScanOptions,
  ): AsyncIterable<readonly FoundLanding[]>;
  /**
   * Whether it could be scanned, where to begin a scan would say that too late. The same errors as of {@link scan}.
   */
  look?(signal: AbortSignal): Promise<void>;
}

export interface ScanOptions {
  /** Called when the scan waits for long, with a sentence for the log. */
  readonly onWait?: (text: string) => void;
  /** What an earlier scan has set, that came to its end. */
  readonly watermark?: Watermark | undefined;
  /** Called with how far this scan has read. It holds from the end of this scan on, when all that it has listed is announced. */
  readonly onWatermark?: (watermark: Watermark) => void;
}

/** What a source watches cannot be listed now: that says nothing of what is there. */
export class SourceAwayError extends ServiceError {}

/** A source cannot be scanned as it is set: it is not away, and waiting does not help. */
export class SourceSettingError extends UserError {}

export type ScanError = SourceAwayError | SourceSettingError;

export function isScanError(thrown: unknown): thrown is ScanError {
  return thrown instanceof SourceAwayError || thrown instanceof SourceSettingError;
}

/** The error in one line: what cannot be listed, and why. */
export function describeAway({ message, why }: ScanError): string {
  return why === undefined ? message : `${message}: ${why}`;
}

/** The place was listed, but for a part of it. */
export class PartlyAwayError extends SourceAwayError {}

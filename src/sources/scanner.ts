/** What a source lists, whatever it watches. */
import { ServiceError } from '../core/errors.ts';
import type { Millis } from '../core/clock.ts';
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
  /**
   * Lists all that has landed, each once, in the order of the paths.
   *
   * @param onSkip called once for each thing that is skipped
   * @throws SourceAwayError when it cannot be listed to the end
   */
  scan(
    signal: AbortSignal,
    onSkip: (skip: Skip) => void,
    options?: ScanOptions,
  ): AsyncIterable<readonly FoundLanding[]>;
}

export interface ScanOptions {
  /** Called when the scan waits for long, with a sentence for the log. */
  readonly onWait?: (text: string) => void;
}

/** What a source watches cannot be listed now: that says nothing of what is there. */
export class SourceAwayError extends ServiceError {}

/** The error in one line: what cannot be listed, and why. */
export function describeAway({ message, why }: SourceAwayError): string {
  return why === undefined ? message : `${message}: ${why}`;
}

/** The place was listed, but for a part of it. */
export class PartlyAwayError extends SourceAwayError {}

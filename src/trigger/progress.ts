import type { Millis } from '../core/clock.ts';

/** How far events that go out one by one have come. Counts are events. */
export interface EventProgress {
  kind: 'events';
  total: number;
  published: number;
  /** Published, and all that they caused has ended. */
  done: number;
  /** Of those that are done: a run of theirs failed. */
  failed: number;
  /** Published, and a run of theirs is to start or to end. */
  running: number;
  /** Published, and their runs wait for further inputs. */
  waiting: number;
  /** Not yet published. */
  remaining: number;
  /** How long it will take at the pace so far, milliseconds; null: not known. */
  left: Millis | null;
}

/** How far the lines of a file have come. */
export interface LineProgress {
  kind: 'lines';
  published: number;
  /** Events a second. */
  rate: number;
  /** 0 to 1; null: not known, since lines may still be coming. */
  fraction: number | null;
  /** Milliseconds; null: not known. */
  left: Millis | null;
}

export type TriggerProgress = EventProgress | LineProgress;

/**
 * Estimates how long the rest takes, at the pace so far.
 *
 * @param done since the start
 * @param rest what is still to be done; null: not known
 * @param took milliseconds from the start to the last that was done
 * @param since milliseconds since then
 * @returns milliseconds; null: not known, or nothing is left
 */
export function timeLeft(done: number, rest: number | null, took: Millis, since: Millis = 0): Millis | null {
  if (rest === null || rest === 0 || done === 0) return null;
  return Math.max(0, (took / done) * rest - since);
}

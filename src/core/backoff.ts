import type { Millis } from './clock.ts';

/** The pauses between tries: they double from `first` to `most`, milliseconds. */
export interface Backoff {
  readonly first: Millis;
  readonly most: Millis;
}

/** 2 to the power of this is more than any `most`, and no product of it is infinite. */
const ENOUGH = 60;

/**
 * The pause before the next try.
 *
 * @param failures how many tries have failed one after the other; from 1 on
 */
export function pauseAfter(failures: number, { first, most }: Backoff): Millis {
  return Math.min(first * 2 ** Math.min(failures - 1, ENOUGH), most);
}

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number;

/** Where the time comes from. Injected, so that tests own it. */
export interface Clock {
  now(): Millis;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Epoch seconds, as the hippo messages carry them. */
export function epochSeconds(at: Millis): number {
  return Math.floor(at / 1000);
}

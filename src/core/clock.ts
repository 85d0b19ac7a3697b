/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number;

/** The source of the time. It is injected, so that tests control it. */
export interface Clock {
  now(): Millis;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Epoch seconds, as the hippo messages carry them. */
export function epochSeconds(at: Millis): number {
  return Math.floor(at / 1000);
}

/** The largest time value of a Date, milliseconds. */
export const LAST_MOMENT = 8.64e15;

/** ISO 8601 in UTC; null if the value is negative or later than a Date can hold. */
export function isoTime(at: Millis): string | null {
  return at >= 0 && at <= LAST_MOMENT ? new Date(at).toISOString() : null;
}

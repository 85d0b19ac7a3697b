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

/** The last moment that a Date can be, milliseconds. */
export const LAST_MOMENT = 8.64e15;

/** ISO 8601 in UTC; null for what is no time: less than 0, or later than a Date can be. */
export function isoTime(at: Millis): string | null {
  return at >= 0 && at <= LAST_MOMENT ? new Date(at).toISOString() : null;
}

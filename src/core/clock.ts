/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number;

/** The source of the time. It is injected, so that tests control it. */
export interface Clock {
  now(): Millis;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Smaller differences of the clocks are not worth a jump: they do not add up, since each is measured against the steady clock. */
const JUMP_AT_LEAST = 2_000;
/** Between two readings of the clocks the process may have been stopped: then their difference says nothing. */
const READ_WITHIN = 100;

/**
 * Epoch milliseconds that advance as time really passes, whatever happens to the wall clock. When that is set, or the machine
 * has slept, {@link jump} says how far the two are apart; {@link follow} closes the gap.
 */
export class SteadyClock implements Clock {
  readonly #wall: () => Millis;
  readonly #monotonic: () => number;
  #origin: Millis;

  constructor(wall: () => Millis = Date.now, monotonic: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#origin = wall() - monotonic();
  }

  now(): Millis {
    return Math.round(this.#origin + this.#monotonic());
  }

  /** By how many milliseconds the wall clock is ahead of this one (negative: behind); 0 where it is not worth following. */
  get jump(): Millis {
    const before = this.#monotonic();
    const wall = this.#wall();
    if (this.#monotonic() - before > READ_WITHIN) return 0;
    const by = Math.round(wall - (this.#origin + before));
    return Math.abs(by) < JUMP_AT_LEAST ? 0 : by;
  }

  follow(jump: Millis): void {
    this.#origin += jump;
  }
}

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

/** An exec_date for people: `2017-04-28T15:55:46Z`; its digits if no calendar has it. */
export function isoSecond(seconds: number): string {
  return isoTime(seconds * 1000)?.replace('.000Z', 'Z') ?? String(seconds);
}

/** A time of day as it is written in hippo.yaml: `02:00`. */
export const CLOCK_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What to write for a time of day: `"02:00"` where `2:00` stands, else the example. */
export function clockTimeFor(text: string, example: string): string {
  const meant = `0${text}`;
  return JSON.stringify(CLOCK_TIME.test(meant) ? meant : example);
}

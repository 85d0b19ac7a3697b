import type { Millis } from '../core/clock.ts';
import { unitNamed } from '../core/duration.ts';
import { UserError } from '../core/errors.ts';

/** So many events in so much time. */
export interface Rate {
  count: number;
  /** Milliseconds. */
  per: Millis;
}

const RATE = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*([A-Za-z]+))?\s*$/;

/**
 * Reads `10/s`, `600/m`, `5/h`; a bare number is a second's.
 *
 * @throws UserError naming what is allowed
 */
export function parseRate(text: string): Rate {
  const [, count = '', word = 's'] = RATE.exec(text) ?? [];
  const unit = unitNamed(word);
  if (Number(count) > 0 && unit !== undefined) return { count: Number(count), per: unit.millis };
  const lower = word.toLowerCase();
  const meant = Number(count) > 0 && unitNamed(lower) !== undefined ? `${count}/${lower}` : '10/s';
  throw new UserError(`--rate ${text} is not a rate`, {
    why: 'It is a number of events per second, minute, hour or day, such as 10/s, 30/m or 4/h. Units are lower case.',
    next: [`hippo trigger --rate ${meant}`],
  });
}

/** A delay up to this does not reduce the rate; a longer one is not made up for. */
const LATE: Millis = 100;

/**
 * Decides how many events may be published now: no more than `maxActive` whose runs have not ended, and no faster than
 * `rate`. Pure: it is told what the time is and what was published.
 */
export class Throttle {
  readonly #maxActive: number;
  /** Events a millisecond. */
  readonly #speed: number;
  readonly #capacity: number;
  #credit: number;
  #at: Millis | undefined;

  constructor({ maxActive = Infinity, rate }: { maxActive?: number | undefined; rate?: Rate | undefined }) {
    this.#maxActive = maxActive;
    this.#speed = rate === undefined ? Infinity : rate.count / rate.per;
    this.#capacity = rate === undefined ? Infinity : 1 + this.#speed * LATE;
    this.#credit = this.#capacity === Infinity ? Infinity : 1;
  }

  /** @param active published events whose runs have not ended */
  allowance(now: Millis, active: number): number {
    this.#earn(now);
    // A thousandth less than whole is rounding.
    return Math.max(0, Math.min(this.#maxActive - active, Math.floor(this.#credit + 0.001)));
  }

  spend(count: number): void {
    this.#credit -= count;
  }

  /** How long until the rate allows another one, milliseconds. */
  pause(now: Millis): Millis {
    this.#earn(now);
    return this.#credit >= 1 ? 0 : Math.ceil((1 - this.#credit) / this.#speed);
  }

  #earn(now: Millis): void {
    if (this.#at !== undefined && now > this.#at) {
      this.#credit = Math.min(this.#capacity, this.#credit + (now - this.#at) * this.#speed);
    }
    this.#at = this.#at === undefined ? now : Math.max(now, this.#at);
  }
}

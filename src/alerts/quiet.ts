import type { Millis } from '../core/clock.ts';
import type { AlertCondition } from '../messages/types.ts';
import { type Zone, instantOf, sinceMidnight, wallTime } from '../windows/index.ts';

const DAY = 86_400_000;

/** Hours in which alerts are held back, on the clock of a time zone. */
export interface Quiet {
  /** `HH:MM` */
  readonly from: string;
  /** `HH:MM`; before `from`: on the next day. */
  readonly to: string;
  /** These are sent all the same. */
  readonly except: ReadonlySet<AlertCondition>;
}

/**
 * When the quiet hours that it is in come to their end; null: it is in none. On a day when the clock is changed it is what the
 * clock shows that counts.
 */
export function quietEnd({ from, to }: Pick<Quiet, 'from' | 'to'>, zone: Zone, at: Millis): Millis | null {
  const wall = wallTime(zone, at);
  const midnight = Math.floor(wall / DAY) * DAY;
  const time = wall - midnight;
  const [begin, end] = [sinceMidnight(from), sinceMidnight(to)];
  const isQuiet = begin < end ? time >= begin && time < end : time >= begin || time < end;
  if (!isQuiet) return null;
  const ends = [midnight, midnight + DAY].map((day) => instantOf(zone, day + end));
  // Where the clock is put back into quiet hours, their end has been once, and comes again.
  return ends.find((instant) => instant > at) ?? at + DAY;
}

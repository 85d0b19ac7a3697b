import type { Millis } from '../core/clock.ts';
import type { Calendar, Window } from './calendar.ts';
import { instantOf, offsetsAround, sinceMidnight, wallTime } from './zone.ts';

const DAY = 86_400_000;

/**
 * The first instant at or after a window's end at which the clock in the hippo's zone shows this time. A time that the clock
 * skips on that day is taken at the change; one that it shows twice is the first that is not before the end.
 *
 * The day 2017-04-28 in Asia/Taipei and `06:30` → 2017-04-29T06:30+08:00.
 *
 * @param time `HH:MM`
 * @returns epoch milliseconds
 */
export function wallClockAfter(
  { zone }: Pick<Calendar, 'zone'>,
  { end }: Pick<Window, 'end'>,
  time: string,
): Millis {
  const today = Math.floor(wallTime(zone, end) / DAY) * DAY;
  const found = [-1, 0, 1, 2].flatMap((days): Millis[] => {
    const wall = today + days * DAY + sinceMidnight(time);
    const shown = offsetsAround(zone, wall)
      .map((offset) => wall - offset)
      .filter((at) => wallTime(zone, at) === wall);
    // Yesterday counts only where the clock goes back to it.
    return shown.length > 0 || days < 0 ? shown : [instantOf(zone, wall)];
  });
  return Math.min(...found.filter((at) => at >= end));
}

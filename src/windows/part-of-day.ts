/**
 * Durations that divide a day, as units that jobs run by: `15m`, `90m`, `6h`. Their windows begin as the wall clock shows, the
 * first of a day at midnight.
 */
import { parseDuration } from '../core/duration.ts';
import { DAY, HOUR, MINUTE, type RunnableUnit, floorTo } from './unit.ts';

/** In minutes, or in hours where they are whole. An hour is `hour`, a day is `day`. */
export type PartOfDay = `${number}m` | `${number}h`;

/** What `every` allows besides the names of units, for error messages. */
export const PART_OF_DAY_FORM = 'a duration that divides a day, such as 15m or 6h';

const MINUTES_OF_DAY = DAY / MINUTE;

/**
 * Reads a duration as it is written elsewhere too.
 *
 * `15 min` → 15m; `120m` → 2h; `1h` → hour; `7h` → nothing, with what divides a day: 6h, 8h; `weekly` → nothing.
 */
export function readPartOfDay(
  text: string,
): { unit: PartOfDay | 'hour' | 'day' } | { near: readonly string[] } {
  const millis = parseDuration(text);
  if (millis === undefined) return { near: [] };
  const minutes = millis / MINUTE;
  if (dividesDay(minutes)) return { unit: nameOf(minutes) };
  const divisors = Array.from({ length: MINUTES_OF_DAY }, (_, index) => index + 1).filter(dividesDay);
  const near = [
    divisors.findLast((divisor) => divisor < minutes),
    divisors.find((divisor) => divisor > minutes),
  ];
  return { near: near.filter((divisor) => divisor !== undefined).map(nameOf) };
}

function dividesDay(minutes: number): boolean {
  return minutes > 0 && Number.isInteger(minutes) && MINUTES_OF_DAY % minutes === 0;
}

function nameOf(minutes: number): PartOfDay | 'hour' | 'day' {
  if (minutes * MINUTE === HOUR) return 'hour';
  if (minutes * MINUTE === DAY) return 'day';
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** Whether a text is one of these units, in the form that {@link readPartOfDay} gives it. */
export function isPartOfDay(text: string): text is PartOfDay {
  const read = readPartOfDay(text);
  return 'unit' in read && read.unit === text && /\d/.test(text);
}

/** The unit of this name; `15m`: 96 windows a day. */
export function partOfDay(name: PartOfDay): RunnableUnit {
  const step = parseDuration(name) ?? DAY;
  return {
    plus: (date, count) => date + count * step,
    window: {
      floor: (date) => floorTo(date, step),
      // The length tells 06:00 of every 15m from 06:00 of every 6h, whose run has other inputs.
      key: `%Y-%m-%dT%H:%M+${name}`,
      followsDayStart: false,
      // A longer window takes the repeated hour in, as a day does.
      splitsRepeatedTime: step <= HOUR,
      noun: `${parseInt(name, 10)}-${name.endsWith('h') ? 'hour' : 'minute'} window`,
      often: `every ${name}`,
      level: 'yyyymmddhhmm',
    },
  };
}

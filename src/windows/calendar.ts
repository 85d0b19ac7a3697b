/**
 * Windows of event time in one time zone, with days that need not begin at midnight. A day that begins at noon or later
 * begins on the date before its own: with `22:00`, what comes after 22:00 counts as the next day's. Windows of a unit
 * follow each other without gap or overlap; a day has 23 or 25 hours where the clock is changed.
 */
import type { Millis } from '../core/clock.ts';
import { type DatePattern, datePattern } from './strftime.ts';
import { type CalendarRules, type RunnableUnit, type Units, type WindowUnit, unitsOf } from './units.ts';
import {
  type Zone,
  formatOffset,
  instantOf,
  isoIn,
  offsetChange,
  offsetsAround,
  openZone,
  sinceMidnight,
  wallTime,
} from './zone.ts';

export interface Window {
  /**
   * `2017-04-28`, `201704`, `2017-04-28T05`, `2017-04-28T05:15+15m`; an hour that a change of the clock repeats names its offset:
   * `2017-10-29T02+02:00`.
   */
  readonly key: string;
  /** Bounds, epoch ms: the start belongs to the window, the end to the next. */
  readonly start: Millis;
  readonly end: Millis;
  /** The date that names the window, as a wall clock shows it, written as if it were UTC: templates format it. */
  readonly date: Millis;
}

/** The windows of one hippo, for units that jobs run by. */
export interface Calendar {
  readonly zone: Zone;
  /** The units as this calendar has them: its weeks and business days. */
  readonly units: Units;
  /** Whether this time is in a window that a key can name: in the years 1 to 9999. */
  holds(at: Millis): boolean;
  /** The window that holds a time, epoch ms; for those that {@link holds} says yes to. */
  at(unit: WindowUnit, at: Millis): Window;
  /** The window that a key names; of a repeated hour whose key is given without the offset, the first. */
  ofKey(unit: WindowUnit, key: string): Window | undefined;
  /** The windows that this date is in: one, or none where the clock skips the hour, two where it repeats it. */
  ofDate(unit: WindowUnit, date: Millis): Window[];
  /** Windows whose date, see {@link Window.date}, is in the range; the end is not. In order. */
  between(unit: WindowUnit, from: Millis, to: Millis): Window[];
  /** Negative where the window of the first key begins before that of the second. */
  compare(unit: WindowUnit, one: string, other: string): number;
  /** ISO 8601 with the zone's offset, to the second: `2017-04-28T20:34:56+08:00`. */
  iso(at: Millis): string;
}

const DAY = 86_400_000;
/** The longest window, and a day of any time zone. */
const MARGIN = 368 * DAY;
/** The years that a key can name. */
const FIRST_DATE = Date.parse('0001-01-01T00:00:00Z');
const LAST_DATE = Date.UTC(9999, 11, 31);
const CACHED_WINDOWS = 5_000;
/** The offset in the key of a repeated hour: `2017-10-29T02+02:00`. */
const KEY_OFFSET = /[+-]\d\d:\d\d$/;

/**
 * @param timezone an IANA name
 * @param dayStarts `HH:MM`
 */
export function createCalendar(timezone: string, dayStarts: string, rules: CalendarRules = {}): Calendar {
  const zone = openZone(timezone);
  const units = unitsOf(rules);
  const known = new Map<WindowUnit, Series>();
  const seriesOf = (unit: WindowUnit): Series => {
    const series = known.get(unit) ?? createSeries(zone, dayStarts, units.runnable(unit));
    known.set(unit, series);
    return series;
  };
  return {
    zone,
    units,
    holds: (at) => at > FIRST_DATE + MARGIN && at < LAST_DATE - MARGIN,
    at: (unit, at) => windowAt(seriesOf(unit), at),
    ofKey: (unit, key) => windowOfKey(seriesOf(unit), key),
    ofDate(unit, date) {
      const series = seriesOf(unit);
      return isNameable(date) ? windowsOfDate(series, series.unit.window.floor(date)) : [];
    },
    between: (unit, from, to) => windowsBetween(seriesOf(unit), from, to),
    compare: (unit, one, other) => compareKeys(seriesOf(unit), one, other),
    iso: (at) => isoIn(zone, at),
  };
}

/** The windows of one unit, in one zone, with days that begin at one time. */
export interface Series {
  readonly zone: Zone;
  readonly unit: RunnableUnit;
  readonly keys: DatePattern;
  /** From a window's date to its start, on the wall clock. */
  readonly shift: Millis;
  readonly byDate: Map<Millis, Window>;
  readonly byKey: Map<string, Window | undefined>;
}

export function createSeries(zone: Zone, dayStarts: string, unit: RunnableUnit): Series {
  const keys = datePattern(unit.window.key);
  if ('unknown' in keys) throw new Error(`${unit.window.key} uses ${keys.unknown}, which does not exist`);
  const shift = unit.window.followsDayStart ? dayShift(dayStarts) : 0;
  return { zone, unit, keys, shift, byDate: new Map(), byKey: new Map() };
}

/** From the midnight that a date begins with to the start of its day: `03:30` → 3.5 hours, `22:00` → -2 hours */
function dayShift(dayStarts: string): Millis {
  const time = sinceMidnight(dayStarts);
  return time >= DAY / 2 ? time - DAY : time;
}

/** Days in Asia/Taipei from 22:00, at 2017-04-28T22:30+08:00 → 2017-04-29 */
export function windowAt(series: Series, at: Millis): Window {
  return series.unit.window.splitsRepeatedTime ? splitWindowAt(series, at) : wholeWindowAt(series, at);
}

function wholeWindowAt(series: Series, at: Millis): Window {
  const { zone, unit, shift } = series;
  let window = wholeWindow(series, unit.window.floor(wallTime(zone, at) - shift));
  // Near a change of the clock the wall time may be that of a neighbour; the bounds decide.
  while (at < window.start) window = wholeWindow(series, unit.plus(window.date, -1));
  while (at >= window.end) window = wholeWindow(series, unit.plus(window.date, 1));
  return window;
}

/** Days in UTC from 22:00, 2017-04-28 → from 2017-04-27T22:00Z to 2017-04-28T22:00Z */
function wholeWindow({ zone, unit, keys, shift, byDate }: Series, date: Millis): Window {
  const known = byDate.get(date);
  if (known !== undefined) return known;
  const { begins = sameDate } = unit.window;
  const start = instantOf(zone, begins(date) + shift);
  const end = instantOf(zone, begins(unit.plus(date, 1)) + shift);
  return remember(byDate, date, { key: keys.format(date), start, end, date });
}

function sameDate(date: Millis): Millis {
  return date;
}

/** Hours in Europe/Berlin, at 2017-10-29T00:30Z → 2017-10-29T02+02:00, from 00:00Z to 01:00Z */
function splitWindowAt(series: Series, at: Millis): Window {
  const { zone, unit, keys, byDate } = series;
  const offset = zone.offsetAt(at);
  const date = unit.window.floor(at + offset);
  const [start, end] = [date - offset, unit.plus(date, 1) - offset];
  const known = byDate.get(start);
  // Where the clock is changed within an hour, two windows would begin here if it were not.
  if (known !== undefined && at >= known.start && at < known.end) return known;
  const isRepeated = offsetsShowing(series, date).length > 1;
  return remember(byDate, start, {
    key: `${keys.format(date)}${isRepeated ? formatOffset(offset) : ''}`,
    start: zone.offsetAt(start) === offset ? start : offsetChange(zone, start, at),
    end: zone.offsetAt(end - 1) === offset ? end : offsetChange(zone, at, end),
    date,
  });
}

/** The offsets at which the clock shows some of this window: none where it is skipped, two where it is repeated. */
function offsetsShowing({ zone, unit }: Series, date: Millis): Millis[] {
  const last = unit.plus(date, 1) - 1;
  return offsetsAround(zone, date).filter(
    (offset) => zone.offsetAt(date - offset) === offset || zone.offsetAt(last - offset) === offset,
  );
}

/**
 * The windows that a date names, in order.
 *
 * Hours in Europe/Berlin: 2017-03-26T02 → none, 2017-10-29T02 → 2017-10-29T02+02:00 and 2017-10-29T02+01:00
 *
 * @param date one that `floor` of the unit gives
 */
function windowsOfDate(series: Series, date: Millis): Window[] {
  const { zone, unit } = series;
  if (!unit.window.splitsRepeatedTime) return [wholeWindow(series, date)];
  const last = unit.plus(date, 1) - 1;
  return offsetsShowing(series, date)
    .map((offset) => (zone.offsetAt(date - offset) === offset ? date - offset : last - offset))
    .sort((a, b) => a - b)
    .map((at) => splitWindowAt(series, at));
}

/** Months: `201704` → 2017-04; `201713`, `2017-04` → undefined */
export function windowOfKey(series: Series, key: string): Window | undefined {
  const { byKey } = series;
  return byKey.has(key) ? byKey.get(key) : remember(byKey, key, findWindow(series, key));
}

function findWindow(series: Series, key: string): Window | undefined {
  const { floor, splitsRepeatedTime } = series.unit.window;
  const date = series.keys.parse(splitsRepeatedTime ? key.replace(KEY_OFFSET, '') : key);
  if (date === undefined || !isNameable(date) || floor(date) !== date) return undefined;
  // Without an offset, a repeated hour is the first of its name.
  return windowsOfDate(series, date).find((window) => window.key.startsWith(key));
}

/** Keys sort as their windows do, but for those of repeated time: 02+02:00 is before 02+01:00. */
function compareKeys(series: Series, one: string, other: string): number {
  if (KEY_OFFSET.test(one) && KEY_OFFSET.test(other)) {
    const [first, second] = [windowOfKey(series, one), windowOfKey(series, other)];
    if (first !== undefined && second !== undefined) return first.start - second.start;
  }
  return one < other ? -1 : Number(one > other);
}

function isNameable(date: Millis): boolean {
  return date >= FIRST_DATE && date <= LAST_DATE;
}

/** Months, from 2017-04-02 to 2017-06-02 → 201705, 201706 */
export function windowsBetween(series: Series, from: Millis, to: Millis): Window[] {
  const { unit } = series;
  const windows: Window[] = [];
  const last = Math.min(to, LAST_DATE);
  let date = unit.window.floor(Math.max(from, FIRST_DATE));
  if (date < from) date = unit.plus(date, 1);
  for (; date < last; date = unit.plus(date, 1)) windows.push(...windowsOfDate(series, date));
  return windows;
}

/** Keeps what was computed; a full cache is emptied, so that years of windows do not fill the memory. */
export function remember<Key, Value>(cache: Map<Key, Value>, key: Key, value: Value): Value {
  if (cache.size >= CACHED_WINDOWS) cache.clear();
  cache.set(key, value);
  return value;
}

import { DateTime, IANAZone } from 'luxon';
import type { Millis } from '../core/clock.ts';

export const WINDOW_UNITS = ['hour', 'day', 'month'] as const;
export type WindowUnit = (typeof WINDOW_UNITS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The time zone's offset may change within a day of a wall-clock time, never more than once. */
const AROUND = DAY;
const CACHED = 5_000;

/** The years that a key can name. */
const FIRST_DATE = Date.parse('0001-01-01T00:00:00Z');
const LAST_DATE = Date.UTC(9999, 11, 31);

export interface Window {
  /** `2017-04-28`, `201704`, `2017-04-28T05`; an hour that a change of the clock repeats names its offset: `2017-10-29T02+02:00`. */
  readonly key: string;
  /** Bounds, epoch ms: the start belongs to the window, the end to the next. */
  readonly start: Millis;
  readonly end: Millis;
  /** The date that names the window, as a wall clock shows it, written as if it were UTC: templates format it. */
  readonly date: Millis;
}

/**
 * Windows of event time in one time zone, with days that need not begin at midnight. A day that begins at noon or later
 * begins on the date before its own: with `22:00`, what comes after 22:00 counts as the next day's. Windows of a unit
 * follow each other without gap or overlap; a day has 23 or 25 hours where the clock is changed.
 */
export interface Calendar {
  /** Whether this time is in a window that a key can name: in the years 1 to 9999. */
  holds(at: Millis): boolean;
  /** The window that holds a time, epoch ms; for those that {@link holds} says yes to. */
  at(unit: WindowUnit, at: Millis): Window;
  ofKey(unit: WindowUnit, key: string): Window | undefined;
  /** Windows whose date, see {@link Window.date}, is in the range; the end is not. In order. */
  between(unit: WindowUnit, from: Millis, to: Millis): Window[];
  /** ISO 8601 with the zone's offset, to the second: `2017-04-28T20:34:56+08:00`. */
  iso(at: Millis): string;
}

/**
 * @param timezone an IANA name
 * @param dayStarts `HH:MM`
 */
export function createCalendar(timezone: string, dayStarts: string): Calendar {
  const zone = IANAZone.create(timezone);
  const [hour = 0, minute = 0] = dayStarts.split(':').map(Number);
  const sinceMidnight = (hour * 60 + minute) * 60_000;
  /** From the midnight that a date begins with to the start of its day. */
  const dayShift = sinceMidnight >= DAY / 2 ? sinceMidnight - DAY : sinceMidnight;
  const days = new Map<Millis, Window>();
  const byKey: Record<WindowUnit, Map<string, Window | undefined>> = {
    hour: new Map(),
    day: new Map(),
    month: new Map(),
  };

  /** By day since the epoch: the offset that all of it has, or null where the offset changes. */
  const offsets = new Map<number, Millis | null>();

  function offsetAt(at: Millis): Millis {
    const number = Math.floor(at / DAY);
    let offset = offsets.get(number);
    if (offset === undefined) {
      const [first, last] = [zone.offset(number * DAY), zone.offset((number + 1) * DAY)];
      offset = first === last ? first * 60_000 : null;
      if (offsets.size >= CACHED) offsets.clear();
      offsets.set(number, offset);
    }
    return offset ?? zone.offset(at) * 60_000;
  }
  const wallClock = (at: Millis): Millis => at + offsetAt(at);

  /** The first instant at which the wall clock shows `wall` or, where it skips that, the first after it. */
  function instantOf(wall: Millis): Millis {
    const before = offsetAt(wall - AROUND);
    const after = offsetAt(wall + AROUND);
    const candidates = [wall - before, wall - after].filter((at) => wallClock(at) === wall);
    return candidates.length > 0
      ? Math.min(...candidates)
      : changeBetween(wall - AROUND * 2, wall + AROUND * 2, wall);
  }

  /** The instant, between two, at which the wall clock jumps over `wall`. */
  function changeBetween(from: Millis, to: Millis, wall: Millis): Millis {
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (wallClock(middle) >= wall) high = middle;
      else low = middle;
    }
    return high;
  }

  /** The first instant after `from`, and not after `to`, whose offset is not that of `from`. */
  function offsetChange(from: Millis, to: Millis): Millis {
    const offset = offsetAt(from);
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }

  const dayStart = (date: Millis): Millis => instantOf(date + dayShift);

  function day(date: Millis): Window {
    const known = days.get(date);
    if (known !== undefined) return known;
    const window = { key: isoDate(date), start: dayStart(date), end: dayStart(date + DAY), date };
    if (days.size >= CACHED) days.clear();
    days.set(date, window);
    return window;
  }

  function dayAt(at: Millis): Window {
    let window = day(floorTo(wallClock(at) - dayShift, DAY));
    // The wall clock is an estimate near a change of the clock; the bounds decide.
    while (at < window.start) window = day(window.date - DAY);
    while (at >= window.end) window = day(window.date + DAY);
    return window;
  }

  function month(date: Millis): Window {
    const next = addMonths(date, 1);
    return {
      key: isoDate(date).slice(0, 7).replace('-', ''),
      start: dayStart(date),
      end: dayStart(next),
      date,
    };
  }

  function hourAt(at: Millis): Window {
    const offset = offsetAt(at);
    const date = floorTo(at + offset, HOUR);
    const [start, end] = [date - offset, date + HOUR - offset];
    const repeated = hourOffsets(date).length > 1;
    return {
      key: `${isoDate(date)}T${two(new Date(date).getUTCHours())}${repeated ? formatOffset(offset) : ''}`,
      start: offsetAt(start) === offset ? start : offsetChange(start, at),
      end: offsetAt(end - 1) === offset ? end : offsetChange(at, end),
      date,
    };
  }

  /** The offsets at which the wall clock shows some of this hour: none where it is skipped, two where it is repeated. */
  function hourOffsets(date: Millis): Millis[] {
    const offsets = new Set([offsetAt(date - AROUND), offsetAt(date + AROUND)]);
    return [...offsets].filter(
      (offset) => shows(date - offset, offset) || shows(date + HOUR - 1 - offset, offset),
    );
  }

  const shows = (at: Millis, offset: Millis): boolean => offsetAt(at) === offset;

  /** The hours that a wall clock calls `date`, in order. */
  function hours(date: Millis): Window[] {
    return hourOffsets(date)
      .map((offset) => (shows(date - offset, offset) ? date - offset : date + HOUR - 1 - offset))
      .sort((a, b) => a - b)
      .map(hourAt);
  }

  function windowOf(unit: WindowUnit, key: string): Window | undefined {
    const date = KEYS[unit].date(key);
    if (date === undefined || date < FIRST_DATE || date > LAST_DATE) return undefined;
    // Without an offset, a repeated hour is the first of its name.
    if (unit === 'hour') return hours(date).find((window) => window.key.startsWith(key));
    return unit === 'day' ? day(date) : month(date);
  }

  return {
    holds: (at) => at > FIRST_DATE + 2 * DAY && at < LAST_DATE - 2 * DAY,
    at(unit, at) {
      if (unit === 'hour') return hourAt(at);
      const window = dayAt(at);
      return unit === 'day' ? window : month(floorToMonth(window.date));
    },
    ofKey(unit, key) {
      const known = byKey[unit];
      if (!known.has(key)) {
        if (known.size >= CACHED) known.clear();
        known.set(key, windowOf(unit, key));
      }
      return known.get(key);
    },
    between(unit, from, to) {
      const windows: Window[] = [];
      const last = Math.min(to, LAST_DATE);
      for (
        let date = KEYS[unit].ceil(Math.max(from, FIRST_DATE));
        date < last;
        date = KEYS[unit].next(date)
      ) {
        if (unit === 'hour') windows.push(...hours(date));
        else windows.push(unit === 'day' ? day(date) : month(date));
      }
      return windows;
    },
    iso: (at) =>
      DateTime.fromMillis(at, { zone: timezone }).toISO({ suppressMilliseconds: true }) ?? String(at),
  };
}

/** Arithmetic of the dates that name windows; each is written as if it were UTC. */
const KEYS: Record<
  WindowUnit,
  { date(key: string): Millis | undefined; ceil(date: Millis): Millis; next(date: Millis): Millis }
> = {
  hour: {
    date: (key) => parseDate(/^(\d{4})-(\d\d)-(\d\d)T(\d\d)(?:[+-]\d\d:\d\d)?$/.exec(key)),
    ceil: (date) => -floorTo(-date, HOUR),
    next: (date) => date + HOUR,
  },
  day: {
    date: (key) => parseDate(/^(\d{4})-(\d\d)-(\d\d)$/.exec(key)),
    ceil: (date) => -floorTo(-date, DAY),
    next: (date) => date + DAY,
  },
  month: {
    date: (key) => parseDate(/^(\d{4})(\d\d)$/.exec(key)),
    ceil: (date) => (floorToMonth(date) === date ? date : addMonths(floorToMonth(date), 1)),
    next: (date) => addMonths(date, 1),
  },
};

/** Year, month, day, hour of the match; undefined where there is no such date (30 February). */
function parseDate(match: RegExpExecArray | null): Millis | undefined {
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0] = match.slice(1).map(Number);
  const date = DateTime.utc(year, month, day, hour);
  return date.isValid ? date.toMillis() : undefined;
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

function floorToMonth(date: Millis): Millis {
  return DateTime.fromMillis(date, { zone: 'utc' }).startOf('month').toMillis();
}

function addMonths(date: Millis, months: number): Millis {
  return DateTime.fromMillis(date, { zone: 'utc' }).plus({ months }).toMillis();
}

function isoDate(date: Millis): string {
  return new Date(date).toISOString().slice(0, 10);
}

function formatOffset(offset: Millis): string {
  const minutes = Math.abs(offset) / 60_000;
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * The wall clock of a time zone. A wall time is what the clock shows, written as if it were UTC; an instant is a moment that
 * really is, epoch milliseconds.
 */
import { DateTime, IANAZone } from 'luxon';
import type { Millis } from '../core/clock.ts';

const DAY = 86_400_000;
/** Within so much time around a wall time the zone's offset changes at most once. */
const AROUND = DAY;
const CACHED_DAYS = 5_000;

export interface Zone {
  /** IANA. */
  readonly name: string;
  /** How far the wall clock is ahead of UTC at an instant: Europe/Berlin in summer → 7,200,000. */
  offsetAt(at: Millis): Millis;
}

/** Intl, which has the rules of the other zones, takes 8 MB of memory as soon as it is used. */
const UTC: Zone = { name: 'UTC', offsetAt: () => 0 };

/** @param name an IANA name, e.g. `Europe/Berlin` */
export function openZone(name: string): Zone {
  if (name === UTC.name) return UTC;
  const zone = IANAZone.create(name);
  const offset = (at: Millis): Millis => zone.offset(at) * 60_000;
  /** By day since the epoch: the offset of all of that day, or null where it changes on that day. */
  const known = new Map<number, Millis | null>();
  const offsetOfDay = (day: number): Millis | null => {
    const [first, last] = [offset(day * DAY), offset((day + 1) * DAY)];
    return first === last ? first : null;
  };
  return {
    name,
    offsetAt(at) {
      const day = Math.floor(at / DAY);
      let found = known.get(day);
      if (found === undefined) {
        found = offsetOfDay(day);
        if (known.size >= CACHED_DAYS) known.clear();
        known.set(day, found);
      }
      return found ?? offset(at);
    },
  };
}

/** `06:30` → 23,400,000 */
export function sinceMidnight(time: string): Millis {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return (hour * 60 + minute) * 60_000;
}

/** 22:00 UTC in Europe/Berlin in summer → 00:00 of the next day */
export function wallTime(zone: Zone, at: Millis): Millis {
  return at + zone.offsetAt(at);
}

/**
 * The first instant at which the clock shows this time or, where it skips it, the first after it.
 * 2017-03-26T02:30 in Europe/Berlin, which is skipped → 01:00 UTC, when the clock shows 03:00
 */
export function instantOf(zone: Zone, wall: Millis): Millis {
  const candidates = offsetsAround(zone, wall)
    .map((offset) => wall - offset)
    .filter((at) => wallTime(zone, at) === wall);
  if (candidates.length > 0) return Math.min(...candidates);
  return firstInstant(wall - 2 * AROUND, wall + 2 * AROUND, (at) => wallTime(zone, at) >= wall);
}

/** The offsets before and after a change of the clock near this wall time; one where there is none. */
export function offsetsAround(zone: Zone, wall: Millis): Millis[] {
  return [...new Set([zone.offsetAt(wall - AROUND), zone.offsetAt(wall + AROUND)])];
}

/**
 * When the clock is changed between two instants: the first instant whose offset is not that of `from`.
 * 2017-03-26 00:30 UTC to 01:30 UTC in Europe/Berlin → 01:00 UTC
 */
export function offsetChange(zone: Zone, from: Millis, to: Millis): Millis {
  const offset = zone.offsetAt(from);
  return firstInstant(from, to, (at) => zone.offsetAt(at) !== offset);
}

/** The first instant after `from` at which a condition holds; it does at `to`, and goes on once it has begun to. */
function firstInstant(from: Millis, to: Millis, holds: (at: Millis) => boolean): Millis {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}

/** ISO 8601 with the zone's offset: `2017-04-28T20:34:56+08:00`, in UTC `2017-04-28T12:34:56Z` */
export function isoIn(zone: Zone, at: Millis): string {
  // Without a locale, luxon asks Intl for the system's.
  return (
    DateTime.fromMillis(at, { zone: zone.name, locale: 'en' }).toISO({ suppressMilliseconds: true }) ??
    String(at)
  );
}

/** 7,200,000 → `+02:00` */
export function formatOffset(offset: Millis): string {
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

import { describe, expect, it } from 'vitest';
import { createCalendar } from '../../src/windows/calendar.ts';
import type { WindowUnit } from '../../src/windows/units.ts';
import { isTimezone } from '../../src/core/timezone.ts';

const hours = (millis: number): number => millis / 3_600_000;
const at = (text: string): number => Date.parse(text);

describe('the window that holds a time', () => {
  it.each<[zone: string, dayStarts: string, unit: WindowUnit, time: string, key: string]>([
    ['UTC', '00:00', 'day', '2017-04-28T00:00:00Z', '2017-04-28'],
    ['UTC', '00:00', 'day', '2017-04-27T23:59:59.999Z', '2017-04-27'],
    ['Asia/Taipei', '00:00', 'day', '2017-04-27T16:00:00Z', '2017-04-28'],
    ['Asia/Taipei', '00:00', 'hour', '2017-04-27T16:59:00Z', '2017-04-28T00'],
    ['Asia/Taipei', '00:00', 'month', '2017-04-30T16:00:00Z', '201705'],
    ['Asia/Kathmandu', '00:00', 'hour', '2017-04-28T00:14:59Z', '2017-04-28T05'],
    ['Asia/Kathmandu', '00:00', 'hour', '2017-04-28T00:15:00Z', '2017-04-28T06'],
    // A day that begins before midnight: what comes after 22:00 is the next day's, and the next month's.
    ['Asia/Taipei', '22:00', 'day', '2017-04-28T21:59:59+08:00', '2017-04-28'],
    ['Asia/Taipei', '22:00', 'day', '2017-04-28T22:00:00+08:00', '2017-04-29'],
    ['Asia/Taipei', '22:00', 'month', '2017-04-30T22:00:00+08:00', '201705'],
    ['Asia/Taipei', '22:00', 'hour', '2017-04-28T22:00:00+08:00', '2017-04-28T22'],
    // One that begins in the night keeps its date.
    ['UTC', '03:30', 'day', '2017-04-28T03:29:59Z', '2017-04-27'],
    ['UTC', '03:30', 'day', '2017-04-28T03:30:00Z', '2017-04-28'],
    ['UTC', '03:30', 'month', '2017-05-01T03:29:59Z', '201704'],
    // Leap days.
    ['UTC', '00:00', 'day', '2016-02-29T12:00:00Z', '2016-02-29'],
    ['UTC', '22:00', 'day', '2016-02-28T22:00:00Z', '2016-02-29'],
    ['UTC', '22:00', 'month', '2016-02-29T21:59:59Z', '201602'],
    // The clock is set back: 02:30 comes twice, and the key says which.
    ['Europe/Berlin', '00:00', 'hour', '2017-10-29T00:30:00Z', '2017-10-29T02+02:00'],
    ['Europe/Berlin', '00:00', 'hour', '2017-10-29T01:30:00Z', '2017-10-29T02+01:00'],
    ['America/New_York', '00:00', 'hour', '2017-11-05T05:30:00Z', '2017-11-05T01-04:00'],
  ])('%s, day from %s: the %s of %s is %s', (zone, dayStarts, unit, time, key) => {
    expect(createCalendar(zone, dayStarts).at(unit, at(time)).key).toBe(key);
  });
});

describe('how long a window is', () => {
  it.each<[zone: string, dayStarts: string, unit: WindowUnit, key: string, hours: number]>([
    ['Asia/Taipei', '00:00', 'day', '2017-04-28', 24],
    ['Europe/Berlin', '00:00', 'day', '2017-03-26', 23],
    ['Europe/Berlin', '00:00', 'day', '2017-10-29', 25],
    ['Europe/Berlin', '22:00', 'day', '2017-03-26', 23],
    ['Europe/Berlin', '03:30', 'day', '2017-03-25', 23],
    ['America/New_York', '00:00', 'day', '2017-03-12', 23],
    ['America/New_York', '00:00', 'day', '2017-11-05', 25],
    // Half an hour only.
    ['Australia/Lord_Howe', '00:00', 'day', '2017-10-01', 23.5],
    ['Australia/Lord_Howe', '00:00', 'day', '2017-04-02', 24.5],
    ['UTC', '00:00', 'month', '201602', 29 * 24],
    ['UTC', '00:00', 'month', '201702', 28 * 24],
    ['Europe/Berlin', '00:00', 'month', '201703', 31 * 24 - 1],
    ['Europe/Berlin', '00:00', 'hour', '2017-10-29T02+01:00', 1],
    // Samoa had no 30 December 2011.
    ['Pacific/Apia', '00:00', 'day', '2011-12-30', 0],
  ])('%s, day from %s: the %s %s has %d hours', (zone, dayStarts, unit, key, length) => {
    const window = createCalendar(zone, dayStarts).ofKey(unit, key);
    expect(window && hours(window.end - window.start)).toBe(length);
  });
});

describe('a key', () => {
  it.each<[WindowUnit, string]>([
    ['day', '2017-02-29'],
    ['day', '2017-13-01'],
    ['day', '201704'],
    ['day', '2017-4-28'],
    ['month', '201713'],
    ['month', '2017-04'],
    ['hour', '2017-04-28T24'],
    ['hour', '2017-04-28'],
    ['day', ''],
    ['day', '2017-04-28; rm -rf /'],
  ])('that is no %s: %s', (unit, key) => {
    expect(createCalendar('UTC', '00:00').ofKey(unit, key)).toBeUndefined();
  });

  it('of an hour that the clock skips names no window', () => {
    expect(createCalendar('Europe/Berlin', '00:00').ofKey('hour', '2017-03-26T02')).toBeUndefined();
  });

  it('of an hour that comes twice, without its offset, is the first', () => {
    const calendar = createCalendar('Europe/Berlin', '00:00');
    expect(calendar.ofKey('hour', '2017-10-29T02')?.key).toBe('2017-10-29T02+02:00');
  });
});

it('a time zone is an IANA name', () => {
  expect(['Asia/Taipei', 'UTC', 'Mars/Olympus', ''].map(isTimezone)).toEqual([true, true, false, false]);
});

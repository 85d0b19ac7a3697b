import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCalendar } from '../../src/windows/calendar.ts';
import { wallClockAfter } from '../../src/windows/index.ts';
import type { WindowUnit } from '../../src/windows/units.ts';
import { wallTime } from '../../src/windows/zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);

describe('the time that the clock shows after a window', () => {
  it.each<[zone: string, dayStarts: string, unit: WindowUnit, key: string, time: string, expected: string]>([
    ['UTC', '00:00', 'day', '2017-04-28', '06:30', '2017-04-29T06:30Z'],
    ['Asia/Taipei', '00:00', 'day', '2017-04-28', '06:30', '2017-04-29T06:30+08:00'],
    // At the end itself.
    ['UTC', '00:00', 'day', '2017-04-28', '00:00', '2017-04-29T00:00Z'],
    ['UTC', '22:00', 'day', '2017-04-28', '22:00', '2017-04-28T22:00Z'],
    // A day that ends before midnight: still on that date, or on the next.
    ['UTC', '22:00', 'day', '2017-04-28', '23:30', '2017-04-28T23:30Z'],
    ['UTC', '22:00', 'day', '2017-04-28', '06:30', '2017-04-29T06:30Z'],
    ['UTC', '00:00', 'month', '201612', '06:30', '2017-01-01T06:30Z'],
    ['UTC', '00:00', 'hour', '2017-04-28T05', '05:30', '2017-04-29T05:30Z'],
    ['UTC', '00:00', 'hour', '2017-04-28T05', '06:30', '2017-04-28T06:30Z'],
    // The clock skips 02:30: at the change, when it shows 03:00.
    ['Europe/Berlin', '00:00', 'day', '2017-03-25', '02:30', '2017-03-26T01:00Z'],
    // The clock shows 02:30 twice: the first.
    ['Europe/Berlin', '00:00', 'day', '2017-10-28', '02:30', '2017-10-29T00:30Z'],
    // Of an hour that ends between the two, the second.
    ['Europe/Berlin', '00:00', 'hour', '2017-10-29T02+02:00', '02:30', '2017-10-29T01:30Z'],
    // Set back at 00:01, the clock shows the evening before once more.
    ['America/St_Johns', '00:00', 'day', '2010-11-06', '23:30', '2010-11-07T03:00Z'],
    // Samoa had no 30 December 2011.
    ['Pacific/Apia', '00:00', 'day', '2011-12-29', '06:30', '2011-12-31T06:30+14:00'],
  ])('%s, day from %s: of the %s %s, %s is %s', (zone, dayStarts, unit, key, time, expected) => {
    const calendar = createCalendar(zone, dayStarts);
    const found = wallClockAfter(calendar, calendar.ofKey(unit, key)!, time);
    expect(new Date(found).toISOString()).toBe(new Date(expected).toISOString());
  });

  it('is the first minute from its end on that shows this time, or at which it has been skipped', () => {
    const near = ['2017-03-26T01:00Z', '2017-10-29T01:00Z', '2010-03-14T03:31Z', '2010-11-07T02:31Z'];
    fc.assert(
      fc.property(
        fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe'),
        fc.constantFrom(...near, '2017-10-01T15:30Z', '2017-04-02T15:00Z', '2016-12-31T12:00Z'),
        fc.integer({ min: -36, max: 36 }),
        fc.constantFrom('00:00', '00:30', '01:45', '02:15', '02:30', '23:30'),
        (zone, around, hours, time) => {
          const calendar = createCalendar(zone, '00:00');
          const window = calendar.at('hour', at(around) + hours * HOUR);
          const [hour, minute] = time.split(':').map(Number);
          const wanted = (hour! * 60 + minute!) * MINUTE;
          const clock = (instant: number): number => wallTime(calendar.zone, instant);
          let found = window.end;
          const isReached = (): boolean => {
            const shown = clock(found);
            const before = clock(found - MINUTE) + MINUTE;
            const due = Math.floor(shown / DAY) * DAY + wanted;
            return shown === due || (before < due && shown > due);
          };
          while (!isReached()) found += MINUTE;
          expect(wallClockAfter(calendar, window, time)).toBe(found);
        },
      ),
      { numRuns: 300 },
    );
  });
});

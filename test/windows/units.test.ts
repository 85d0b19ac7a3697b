import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { readPartition } from '../../src/scaffold/partition.ts';
import { listTemplates } from '../../src/scaffold/template.ts';
import { formatPartition, readDate, readFormat } from '../../src/trigger/format.ts';
import { partitionsIn } from '../../src/trigger/range.ts';
import {
  type Series,
  createCalendar,
  createSeries,
  windowAt,
  windowOfKey,
  windowsBetween,
} from '../../src/windows/calendar.ts';
import { compilePartition } from '../../src/windows/partition.ts';
import {
  type DatePattern,
  datePattern,
  dateUnitOf,
  parseShift,
  shiftDate,
} from '../../src/windows/strftime.ts';
import { compilePieces } from '../../src/windows/template.ts';
import {
  AMOUNT_UNITS,
  DATE_UNITS,
  type DateRules,
  type DateUnit,
  UNITS,
  UNIT_NAMES,
  WINDOW_UNITS,
  type RunnableUnit,
  type WindowUnit,
  isFiner,
  keyPatterns,
  longestBreak,
  readWindowUnit,
  unitsOf,
} from '../../src/windows/units.ts';
import { type Zone, openZone } from '../../src/windows/zone.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);
const zones = new Map<string, Zone>();
function zoneNamed(name: string): Zone {
  const zone = zones.get(name) ?? openZone(name);
  zones.set(name, zone);
  return zone;
}
const dateIn = (from: string, to: string): fc.Arbitrary<number> => fc.integer({ min: at(from), max: at(to) });

/** Zones with the instants at which their clocks are changed: by an hour, by half an hour, at 00:01, by a day. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  UTC: ['2017-03-26T01:00Z'],
  'Asia/Kathmandu': ['1985-12-31T18:30Z'],
  'Europe/Berlin': ['2017-03-26T01:00Z', '2017-10-29T01:00Z'],
  'America/New_York': ['2017-03-12T07:00Z', '2017-11-05T06:00Z'],
  'Australia/Lord_Howe': ['2017-10-01T15:30Z', '2017-04-02T15:00Z'],
  'America/St_Johns': ['2010-03-14T03:31Z', '2010-11-07T02:31Z'],
  'Pacific/Apia': ['2011-12-30T10:00Z'],
};
/** Ends of years, among them those of 53 ISO weeks, and leap days. */
const TURNS = ['2009-12-31', '2015-12-31', '2016-02-29', '2020-12-31', '2023-12-31', '2100-02-28'];

/** A zone, a start of the day, and a time that is more often than not near a change of the clock or the end of a year. */
const anyPlace = fc.constantFrom(...Object.keys(CHANGES)).chain((zone) =>
  fc.record({
    zone: fc.constant(zone),
    dayStarts: fc.constantFrom('00:00', '22:00', '03:30', '12:00'),
    time: fc.oneof(
      dateIn('1970-01-02', '2100-01-01'),
      fc
        .tuple(
          fc.constantFrom(...(CHANGES[zone] ?? []), ...TURNS),
          fc.integer({ min: -2 * DAY, max: 2 * DAY }),
        )
        .map(([text, offset]) => at(text) + offset),
    ),
  }),
);

const HOLIDAYS = ['2016-12-26', '2017-04-14', '2017-04-17', '2017-05-01', '2020-12-25', '2021-01-01'];
const sundays = unitsOf({
  weekStarts: 'sunday',
  businessDays: ['sun', 'mon', 'tue', 'wed', 'thu'],
  holidays: HOLIDAYS,
});
const PARTS = ['1m', '15m', '45m', '90m', '2h', '6h', '12h'] as const;
/** All units that jobs run by, the durations for an example each. */
const EACH_UNIT: readonly WindowUnit[] = [...WINDOW_UNITS, ...PARTS];
const usual = unitsOf();

describe.each<readonly [name: string, unit: RunnableUnit]>([
  ...EACH_UNIT.map((name) => [name, usual.runnable(name)] as const),
  ['week from Sunday', sundays.runnable('week')],
  ['business day from Sunday to Thursday, with holidays', sundays.runnable('business_day')],
])('the windows of each %s', (_, unit) => {
  const series = (zone: string, dayStarts: string): Series => createSeries(zoneNamed(zone), dayStarts, unit);

  it('hold the times between their bounds, follow each other without gap or overlap, and are found by their keys', () => {
    fc.assert(
      fc.property(anyPlace, ({ zone, dayStarts, time }) => {
        const here = series(zone, dayStarts);
        const window = windowAt(here, time);
        expect(window.start).toBeLessThanOrEqual(time);
        expect(window.end).toBeGreaterThan(time);
        expect(unit.window.floor(window.date)).toBe(window.date);
        expect(windowOfKey(here, window.key)).toEqual(window);
        const next = windowAt(here, window.end);
        expect(next.start).toBe(window.end);
        expect(next.key).not.toBe(window.key);
        // Set back at 00:01, as in St. John's, the clock shows the date before once more.
        if (!unit.window.splitsRepeatedTime) expect(next.date).toBeGreaterThanOrEqual(window.date);
        expect(windowAt(here, window.start - 1).end).toBe(window.start);
        const calendar = createCalendar(zone, dayStarts);
        for (const name of EACH_UNIT.filter(
          (one) => calendar.units.runnable(one).window.key === unit.window.key,
        ))
          expect(calendar.compare(name, window.key, next.key)).toBeLessThan(0);
        // What was computed before changes nothing.
        expect(windowAt(series(zone, dayStarts), window.end - 1)).toEqual(window);
      }),
      { numRuns: 200 },
    );
  });

  it('between two dates are those that walking from the first to the last meets', () => {
    fc.assert(
      fc.property(anyPlace, fc.integer({ min: 1, max: 40 }), ({ zone, dayStarts, time }, count) => {
        const here = series(zone, dayStarts);
        const walked = [windowAt(here, time)];
        while (walked.length < count) walked.push(windowAt(here, walked.at(-1)!.end));
        const dates = walked.map(({ date }) => date);
        const found = windowsBetween(here, Math.min(...dates), Math.max(...dates) + 1);
        const keys = found.filter(({ start, end }) => end > start).map(({ key }) => key);
        // Of a time that is repeated, the other half belongs to the same dates.
        const others = keys.filter((key) => !walked.some((window) => window.key === key));
        expect(keys).toEqual(expect.arrayContaining(walked.map(({ key }) => key)));
        expect(others.every((key) => /[+-]\d\d:\d\d$/.test(key))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['Europe/Berlin', 'of 23 hours', '2017-03-26', 23],
    ['Europe/Berlin', 'of 25 hours', '2017-10-29', 25],
    ['Australia/Lord_Howe', 'of 24 and a half hours', '2017-04-02', 24.5],
    ['Europe/Berlin', 'at the end of a year', '2020-12-31', 24],
  ])('in %s cover a day %s', (zone, _day, date, length) => {
    const here = series(zone, '00:00');
    const midnight = createSeries(zoneNamed(zone), '00:00', UNITS.day);
    const { start, end } = windowOfKey(midnight, date)!;
    expect((end - start) / HOUR).toBe(length);
    let window = windowAt(here, start);
    let covered = Math.min(window.end, end) - start;
    while (window.end < end) {
      const next = windowAt(here, window.end);
      covered += Math.min(next.end, end) - Math.max(next.start, start);
      window = next;
    }
    expect(covered).toBe(end - start);
  });
});

const pattern = (source: string): DatePattern => {
  const made = datePattern(source);
  if ('unknown' in made) throw new Error(made.unknown);
  return made;
};

describe.each(EACH_UNIT)('every: %s', (unit) => {
  const { key, level } = usual.runnable(unit).window;
  const levels = new Map(DATE_UNITS.flatMap((name) => Object.entries<string>(UNITS[name].dates.levels)));

  it.each([
    ['its key', key],
    ['its usual level', levels.get(level) ?? ''],
  ])('names one window by %s', (_, source) => {
    const pieces = compilePieces(`{{ window | date: '${source}' }}`, {}, '');
    if (!pieces.ok) throw new Error(pieces.message);
    const template = compilePartition([pieces.value], createCalendar('Europe/Berlin', '22:00'), unit);
    expect(template).toMatchObject({ ok: true, value: { identifiesOneWindow: true } });
  });

  it.skipIf(/\d/.test(unit) && unit !== '15m')('is offered by hippo new, with a partition to suggest', () => {
    const every = listTemplates().flatMap(({ questions }) =>
      questions.filter(({ name }) => name === 'every'),
    );
    expect(every).not.toEqual([]);
    for (const question of every) {
      expect(question).toMatchObject({
        choices: expect.arrayContaining([expect.objectContaining({ value: unit })]) as unknown,
      });
    }
    expect(readPartition(level, unit)).toMatchObject({ value: [{ name: level }] });
  });

  it('is in the schema of hippo.yaml', () => {
    expect(JSON.stringify(jsonSchema())).toContain(
      JSON.stringify({ enum: ['event', ...WINDOW_UNITS] }).slice(1, -1),
    );
  });

  it.skipIf(/\d/.test(unit))('is described in docs/CLIENT.md, with one of its keys', async () => {
    const text = await readFile(new URL('../../docs/CLIENT.md', import.meta.url), 'utf8');
    const [, example] = new RegExp(`^\\| \`${unit}\` +\\| \`([^\`]+)\``, 'm').exec(text) ?? [];
    expect(example).toBeDefined();
    expect(createCalendar('UTC', '00:00').ofKey(unit, example ?? '')?.key).toBe(example);
  });
});

/** A partition by each unit. */
const FORMATS: Readonly<Record<DateUnit, string>> = {
  minute: '%Y%m%d%H%M',
  hour: '%Y%m%d%H',
  day: '%Y-%m-%d',
  week: '%GW%V',
  month: '%Y%m',
  quarter: '%YQ%q',
  year: '%Y',
};

describe.each(DATE_UNITS)('dates by the %s', (unit) => {
  const { directives, forms, range, levels, step, takesFinerEnds }: DateRules = UNITS[unit].dates;
  const calendar = { timezone: 'Europe/Berlin', day_starts: '00:00' };

  it('are written by its directives, forms and levels, and by nothing finer', () => {
    expect(directives.map((letter) => dateUnitOf(pattern(`%${letter}`).directives))).toEqual(
      directives.map(() => unit),
    );
    for (const source of [...forms, ...Object.values(levels)]) {
      expect(dateUnitOf(pattern(source).directives)).toBe(unit);
    }
    expect(isFiner(unit, step)).toBe(false);
  });

  it('are read in each of its forms', () => {
    for (const source of forms) {
      const text = pattern(source).format(at('2017-03-01T05:15Z'));
      expect(readDate(text, [])).toEqual({ from: pattern(source).parse(text), unit });
    }
  });

  it.each([
    [FORMATS[unit], 'its usual form'],
    ...(unit === 'year' ? [['%G', 'ISO']] : []),
    ...(unit === 'week' ? [['%YW%U', 'from Sunday']] : []),
  ])('make the partitions (%s, %s) that a range lies in', (source) => {
    const format = readFormat([{ name: 'date', value: source }]);
    const name = (date: number): string => formatPartition(format, date)[0]?.value ?? '';
    const visited = ([from, to]: [number, number]): string[] => {
      const seen = new Set<string>();
      const step = { minute: 60_000, hour: HOUR }[unit as string] ?? DAY;
      for (let date = from; date < to; date += step) seen.add(name(date));
      return [...seen];
    };
    const longest = { minute: 1, hour: 5, year: 800 }[unit as string] ?? 100;
    fc.assert(
      fc.property(
        dateIn('2015-01-01', '2021-01-01'),
        fc.integer({ min: 0, max: longest }),
        (start, length) => {
          // Ends as people write them: by the day where that is not finer than the partition, else by the unit.
          const isFine = takesFinerEnds !== true && isFiner('day', unit);
          const end = isFine ? pattern(forms[0]!) : pattern('%Y-%m-%d');
          const [first, last] = [end.format(start), end.format(start + length * DAY)];
          const to = isFine ? UNITS[unit].plus(end.parse(last)!, 1) : end.parse(last)! + DAY;
          const found = partitionsIn(`${first}..${last}`, format, {
            calendar: { ...calendar, timezone: 'UTC' },
          });
          expect(found.map(([level]) => level?.value)).toEqual(visited([end.parse(first)!, to]));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are counted in the range that messages give as an example', () => {
    const found = partitionsIn(range, readFormat([{ name: 'date', value: FORMATS[unit] }]), { calendar });
    expect(found.length).toBeGreaterThan(1);
  });
});

describe.each(AMOUNT_UNITS)('a shift by %ss', (unit) => {
  const { words, slack } = sundays.amount(unit).amount;

  it('is read by each of its words', () => {
    for (const word of words) {
      expect(parseShift(`2${word}`, -1)).toEqual({ sign: -1, unit, count: 2 });
      expect(parseShift(`2 ${word}`, 1)).toEqual({ sign: 1, unit, count: 2 });
    }
  });

  it('leads back, but for the ends of months', () => {
    fc.assert(
      fc.property(dateIn('1995-01-01', '2035-01-01'), fc.integer({ min: 0, max: 40 }), (date, count) => {
        const there = shiftDate(date, [{ sign: 1, unit, count }], sundays);
        const back = shiftDate(there, [{ sign: -1, unit, count }], sundays);
        expect(there).toBeGreaterThanOrEqual(date);
        expect(Math.abs(back - date)).toBeLessThanOrEqual(slack);
      }),
    );
  });
});

it('units are listed from the finest to the coarsest, and each of them is used', () => {
  const lengths = UNIT_NAMES.map((name) => UNITS[name].plus(at('2017-01-01'), 1));
  expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  expect(UNIT_NAMES.filter((name) => Object.keys(UNITS[name]).length < 2)).toEqual([]);
});

describe('keys', () => {
  it('of two units differ, but for those of days and business days', () => {
    fc.assert(
      fc.property(
        anyPlace,
        fc.constantFrom('monday' as const, 'sunday' as const),
        ({ zone, time }, weekStarts) => {
          const here = createCalendar(zone, '00:00', { weekStarts });
          for (const unit of EACH_UNIT) {
            const { key } = here.at(unit, time);
            const others = EACH_UNIT.filter(
              (other) => other !== unit && here.ofKey(other, key) !== undefined,
            );
            expect(others.filter((other) => !/day$/.test(other) || !/day$/.test(unit))).toEqual([]);
            expect(keyPatterns(unit)).toContain(here.units.runnable(unit).window.key);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of weeks from Sunday are none of ISO weeks', () => {
    const [iso, sunday] = [
      createCalendar('UTC', '00:00'),
      createCalendar('UTC', '00:00', { weekStarts: 'sunday' }),
    ];
    expect(iso.at('week', at('2016-01-01')).key).toBe('2015-W53');
    expect(sunday.at('week', at('2016-01-01')).key).toBe('2015-U52');
    expect(sunday.at('week', at('2016-01-03')).key).toBe('2016-U01');
    expect(sunday.ofKey('week', '2015-W52')).toBeUndefined();
  });
});

describe('ISO weeks', () => {
  it('have the number and the year of their Thursday, up to 53', () => {
    const calendar = createCalendar('UTC', '00:00');
    fc.assert(
      fc.property(fc.oneof(dateIn('1970-01-05', '2100-01-01'), fc.constantFrom(...TURNS.map(at))), (time) => {
        const { key, start, end } = calendar.at('week', time);
        expect(new Date(start).getUTCDay()).toBe(1);
        expect(end - start).toBe(7 * DAY);
        const thursday = new Date(start + 3 * DAY);
        const first = Date.UTC(thursday.getUTCFullYear(), 0);
        const number = Math.floor((thursday.getTime() - first) / (7 * DAY)) + 1;
        expect(key).toBe(`${thursday.getUTCFullYear()}-W${String(number).padStart(2, '0')}`);
      }),
    );
    expect(calendar.at('week', at('2021-01-03')).key).toBe('2020-W53');
    expect(calendar.ofKey('week', '2021-W53')).toBeUndefined();
  });
});

describe('a part of a day', () => {
  it.each([
    // The clock skips 02:00 to 03:00.
    ['Europe/Berlin', '2h', '2017-03-26T02:00+2h', '2017-03-26T01:00Z', '2017-03-26T02:00Z'],
    ['Europe/Berlin', '6h', '2017-03-26T00:00+6h', '2017-03-25T23:00Z', '2017-03-26T04:00Z'],
    ['Europe/Berlin', '90m', '2017-03-26T01:30+90m', '2017-03-26T00:30Z', '2017-03-26T01:00Z'],
    ['Europe/Berlin', '45m', '2017-03-26T01:30+45m', '2017-03-26T00:30Z', '2017-03-26T01:00Z'],
    // It shows 02:00 to 03:00 twice: longer windows last longer, those of an hour at most come twice.
    ['Europe/Berlin', '2h', '2017-10-29T02:00+2h', '2017-10-29T00:00Z', '2017-10-29T03:00Z'],
    ['Europe/Berlin', '6h', '2017-10-29T00:00+6h', '2017-10-28T22:00Z', '2017-10-29T05:00Z'],
    ['Europe/Berlin', '15m', '2017-10-29T02:15+15m+02:00', '2017-10-29T00:15Z', '2017-10-29T00:30Z'],
    ['Europe/Berlin', '15m', '2017-10-29T02:15+15m+01:00', '2017-10-29T01:15Z', '2017-10-29T01:30Z'],
    // Days that begin at 22:00 do not move it.
    ['Asia/Taipei', '6h', '2017-04-28T18:00+6h', '2017-04-28T10:00Z', '2017-04-28T16:00Z'],
  ] as const)('in %s: of every %s, %s is from %s to %s', (zone, unit, key, start, end) => {
    const window = createCalendar(zone, '22:00').ofKey(unit, key);
    expect(window).toMatchObject({ key, start: at(start), end: at(end) });
  });

  it('that the clock skips has no window', () => {
    const calendar = createCalendar('Europe/Berlin', '00:00');
    expect(calendar.ofKey('15m', '2017-03-26T02:15+15m')).toBeUndefined();
    expect(calendar.between('15m', at('2017-03-26'), at('2017-03-27'))).toHaveLength(92);
    expect(calendar.between('15m', at('2017-10-29'), at('2017-10-30'))).toHaveLength(100);
    expect(calendar.between('6h', at('2017-10-29'), at('2017-10-30'))).toHaveLength(4);
  });

  it.each([
    ['15m', '15m'],
    ['15 min', '15m'],
    ['900', '15m'],
    ['120 minutes', '2h'],
    ['1.5h', '90m'],
    ['60m', 'hour'],
    ['1h', 'hour'],
    ['24h', 'day'],
    ['1d', 'day'],
  ])('%s is %s', (text, unit) => {
    expect(readWindowUnit(text)).toEqual({ unit });
  });

  it.each([
    ['7h', ': write 6h or 8h'],
    ['25m', ': write 24m or 30m'],
    ['36h', ': write day'],
    ['7d', ': write week'],
    ['1w', ': write week'],
    ['30s', ': write 1m'],
    ['0m', ': write 1m'],
    ['weekly', '. Did you mean week?'],
    ['quarterly', '. Did you mean quarter?'],
    ['15M', ', such as 15m or 6h'],
  ])('is not %s: it is told %s', (text, told) => {
    const read = readWindowUnit(text);
    expect('allowed' in read && read.allowed.endsWith(told)).toBe(true);
  });

  it('is every duration of whole minutes that divides a day, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (minutes) => {
        const read = readWindowUnit(`${minutes}m`);
        expect('unit' in read).toBe(1440 % minutes === 0);
        if ('unit' in read) expect(usual.runnable(read.unit).plus(0, 1)).toBe(minutes * 60_000);
      }),
    );
  });
});

describe('business days', () => {
  // Good Friday is 14 April 2017, Easter Monday the 17th.
  const calendar = createCalendar('Europe/Berlin', '00:00', { holidays: HOLIDAYS });

  it.each([
    ['2017-04-13', '2017-04-13T00:00+02:00', '2017-04-14T00:00+02:00'],
    ['2017-04-18', '2017-04-14T00:00+02:00', '2017-04-19T00:00+02:00'],
    ['2017-04-24', '2017-04-22T00:00+02:00', '2017-04-25T00:00+02:00'],
    // The weekend with the change of the clock.
    ['2017-03-27', '2017-03-25T00:00+01:00', '2017-03-28T00:00+02:00'],
  ])('%s is from %s to %s, with the free days before it', (key, start, end) => {
    expect(calendar.ofKey('business_day', key)).toMatchObject({ key, start: at(start), end: at(end) });
  });

  it('are no free days', () => {
    for (const key of ['2017-04-14', '2017-04-15', '2017-05-01'])
      expect(calendar.ofKey('business_day', key)).toBeUndefined();
    expect(
      calendar.between('business_day', at('2017-04-10'), at('2017-04-22')).map(({ key }) => key),
    ).toEqual([
      '2017-04-10',
      '2017-04-11',
      '2017-04-12',
      '2017-04-13',
      '2017-04-18',
      '2017-04-19',
      '2017-04-20',
      '2017-04-21',
    ]);
  });

  it.each([
    [[], 2],
    [HOLIDAYS, 4],
    [['2017-05-01', '2017-05-02', '2017-05-03', '2017-05-04', '2017-05-05'], 9],
  ])('with the holidays %j, at most %d days are free in a row', (holidays, length) => {
    const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
    expect(longestBreak({ weekdays, holidays: new Set(holidays.map(at)) })).toBe(length);
  });
});

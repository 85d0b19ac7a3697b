import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { readPartition } from '../../src/scaffold/partition.ts';
import { listTemplates } from '../../src/scaffold/template.ts';
import { formatPartition, readDate, readFormat } from '../../src/trigger/format.ts';
import { partitionsIn } from '../../src/trigger/range.ts';
import {
  type RunnableUnit,
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
  type DateUnit,
  UNITS,
  UNIT_NAMES,
  WINDOW_UNITS,
  isFiner,
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

const days = (rules: Pick<RunnableUnit['window'], 'floor' | 'key'>): RunnableUnit['window'] => ({
  ...rules,
  followsDayStart: true,
  splitsRepeatedTime: false,
  noun: '',
  often: '',
  level: '',
});
const { quarter, year, week } = UNITS;
const floorBy =
  (step: number, first = 0) =>
  (date: number) =>
    Math.floor((date - first) / step) * step + first;
const isBusinessDay = (date: number): boolean =>
  ![0, 6].includes(new Date(date).getUTCDay()) && new Date(date).toISOString().slice(5, 10) !== '12-25';
const business: Pick<RunnableUnit, 'plus'> & Pick<RunnableUnit['window'], 'floor'> = {
  floor: (date) => {
    let day = floorBy(DAY)(date);
    while (!isBusinessDay(day)) day -= DAY;
    return day;
  },
  plus: (date, count) => {
    let day = date;
    for (let left = Math.abs(count); left > 0;) {
      day += Math.sign(count) * DAY;
      if (isBusinessDay(day)) left -= 1;
    }
    return day;
  },
};

/** Units that jobs cannot run by, of every kind that the calendar can keep: longer than a day, parts of it, with holidays. */
const OTHERS: readonly (readonly [name: string, unit: RunnableUnit])[] = [
  ['ISO week', { ...week, window: days({ floor: floorBy(7 * DAY, at('2017-01-02')), key: '%G-W%V' }) }],
  [
    'week from Sunday',
    { ...week, window: days({ floor: floorBy(7 * DAY, at('2017-01-01')), key: '%Y-%m-%d' }) },
  ],
  [
    'quarter',
    {
      ...quarter,
      window: days({
        floor: (date) =>
          Date.UTC(new Date(date).getUTCFullYear(), 3 * Math.floor(new Date(date).getUTCMonth() / 3)),
        key: '%YQ%q',
      }),
    },
  ],
  [
    'year',
    { ...year, window: days({ floor: (date) => Date.UTC(new Date(date).getUTCFullYear(), 0), key: '%Y' }) },
  ],
  [
    'quarter of an hour',
    {
      plus: (date, count) => date + (count * HOUR) / 4,
      window: { ...days({ floor: floorBy(HOUR / 4), key: '%Y-%m-%dT%H:%M' }), followsDayStart: false },
    },
  ],
  [
    'quarter of a day',
    {
      plus: (date, count) => date + count * 6 * HOUR,
      window: days({ floor: floorBy(6 * HOUR), key: '%Y-%m-%dT%H' }),
    },
  ],
  ['business day', { plus: business.plus, window: days({ floor: business.floor, key: '%Y-%m-%d' }) }],
];

describe.each<readonly [name: string, unit: RunnableUnit]>([
  ...WINDOW_UNITS.map((name) => [name, UNITS[name]] as const),
  ...OTHERS,
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

describe.each(WINDOW_UNITS)('every: %s', (unit) => {
  const { key, level } = UNITS[unit].window;
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

  it('is offered by hippo new, with a partition to suggest', () => {
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

  it('is described in docs/CLIENT.md, with one of its keys', async () => {
    const text = await readFile(new URL('../../docs/CLIENT.md', import.meta.url), 'utf8');
    const [, example] = new RegExp(`^\\| \`${unit}\` +\\| \`([^\`]+)\``, 'm').exec(text) ?? [];
    expect(example).toBeDefined();
    expect(createCalendar('UTC', '00:00').ofKey(unit, example ?? '')?.key).toBe(example);
  });
});

/** A partition by each unit. */
const FORMATS: Readonly<Record<DateUnit, string>> = {
  hour: '%Y%m%d%H',
  day: '%Y-%m-%d',
  week: '%GW%V',
  month: '%Y%m',
  quarter: '%YQ%q',
  year: '%Y',
};

describe.each(DATE_UNITS)('dates by the %s', (unit) => {
  const { directives, forms, range, levels, step }: (typeof UNITS)[DateUnit]['dates'] = UNITS[unit].dates;
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
      const text = pattern(source).format(at('2017-03-01T05:00Z'));
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
      for (let date = from; date < to; date += unit === 'hour' ? HOUR : DAY) seen.add(name(date));
      return [...seen];
    };
    const longest = { hour: 5, year: 800 }[unit as string] ?? 100;
    fc.assert(
      fc.property(
        dateIn('2015-01-01', '2021-01-01'),
        fc.integer({ min: 0, max: longest }),
        (start, length) => {
          // Ends as people write them: by the day where that is not finer than the partition, else by the unit.
          const isFine = forms.length > 0 && isFiner('day', unit);
          const end = isFine ? pattern(forms[0]!) : pattern('%Y-%m-%d');
          const [first, last] = [end.format(start), end.format(start + length * DAY)];
          const to = isFine ? UNITS[unit].plus(end.parse(last)!, 1) : end.parse(last)! + DAY;
          const found = partitionsIn(`${first}..${last}`, format, { ...calendar, timezone: 'UTC' });
          expect(found.map(([level]) => level?.value)).toEqual(visited([end.parse(first)!, to]));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are counted in the range that messages give as an example', () => {
    const found = partitionsIn(range, readFormat([{ name: 'date', value: FORMATS[unit] }]), calendar);
    expect(found.length).toBeGreaterThan(1);
  });
});

describe.each(AMOUNT_UNITS)('a shift by %ss', (unit) => {
  const { words, slack } = UNITS[unit].amount;

  it('is read by each of its words', () => {
    for (const word of words) {
      expect(parseShift(`2${word}`, -1)).toEqual({ sign: -1, unit, count: 2 });
      expect(parseShift(`2 ${word}`, 1)).toEqual({ sign: 1, unit, count: 2 });
    }
  });

  it('leads back, but for the ends of months', () => {
    fc.assert(
      fc.property(dateIn('1995-01-01', '2035-01-01'), fc.integer({ min: 0, max: 40 }), (date, count) => {
        const there = shiftDate(date, [{ sign: 1, unit, count }]);
        const back = shiftDate(there, [{ sign: -1, unit, count }]);
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

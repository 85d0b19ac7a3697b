import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCalendar } from '../../src/windows/calendar.ts';
import { type PartitionTemplate, compilePartition } from '../../src/windows/partition.ts';
import { type Piece, type TemplateResult, compilePieces } from '../../src/windows/template.ts';
import { WINDOW_UNITS, type WindowUnit } from '../../src/windows/units.ts';

const HOLIDAYS = ['2017-04-14', '2017-04-17', '2017-05-01'];
const calendar = createCalendar('UTC', '00:00', { holidays: HOLIDAYS });

function compile(levels: string[], unit: WindowUnit): TemplateResult<PartitionTemplate> {
  const pieces = levels.map((source): Piece[] => {
    const compiled = compilePieces(source, {}, calendar.units.runnable(unit).window.key);
    if (!compiled.ok) throw new Error(compiled.message);
    return compiled.value;
  });
  return compilePartition(pieces, calendar, unit);
}

function template(levels: string[], unit: WindowUnit): PartitionTemplate {
  const compiled = compile(levels, unit);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.value;
}

describe('the windows that a partition serves', () => {
  it.each<[levels: string[], unit: WindowUnit, values: string[], keys: string[]]>([
    [['{{ window }}'], 'day', ['2017-04-28'], ['2017-04-28']],
    [['{{ window }}'], 'month', ['201704'], ['201704']],
    [['{{ window }}'], 'hour', ['2017-04-28T05'], ['2017-04-28T05']],
    [["{{ window | date: '%Y%m%d' }}"], 'day', ['20170428'], ['2017-04-28']],
    [["{{ window | date: '%Y%m%d' }}"], 'day', ['20170431'], []],
    [["{{ window | date: '%Y%m%d' }}"], 'day', ['2017-04-28'], []],
    [["{{ window | date: '%Y%m%d' }}"], 'day', ['20170428 '], []],
    // Two days before, over the end of a month and a leap day.
    [["{{ window | minus: '2d' | date: '%Y%m%d' }}"], 'day', ['20160228'], ['2016-03-01']],
    // The date is spread over two levels, and a third is fixed.
    [
      ["{{ window | date: '%Y' }}", "{{ window | date: '%m' }}", 'us'],
      'month',
      ['2017', '04', 'us'],
      ['201704'],
    ],
    [["{{ window | date: '%Y' }}", "{{ window | date: '%m' }}", 'us'], 'month', ['2017', '04', 'eu'], []],
    // A month serves all of its days, and those of a short month.
    [
      ["{{ window | date: '%Y%m' }}"],
      'day',
      ['201602'],
      Array.from({ length: 29 }, (_, day) => `2016-02-${String(day + 1).padStart(2, '0')}`),
    ],
    // Last month's last day serves one day; months of other lengths have the same last day.
    [
      ["{{ window | minus: '1 month' | date: '%Y%m%d' }}"],
      'day',
      ['20170228'],
      ['2017-03-28', '2017-03-29', '2017-03-30', '2017-03-31'],
    ],
    [["{{ window | minus: '1 month' | date: '%Y%m' }}"], 'month', ['201612'], ['201701']],
    [
      ["{{ window | minus: '1 year' | date: '%Y' }}"],
      'month',
      ['2016'],
      Array.from({ length: 12 }, (_, month) => `2017${String(month + 1).padStart(2, '0')}`),
    ],
    // The ISO week.
    [
      ["{{ window | date: '%GW%V' }}"],
      'day',
      ['2020W53'],
      ['2020-12-28', '2020-12-29', '2020-12-30', '2020-12-31', '2021-01-01', '2021-01-02', '2021-01-03'],
    ],
    [["{{ window | date: '%YQ%q' }}"], 'month', ['2017Q2'], ['201704', '201705', '201706']],
    // Hours of a day.
    [
      ["{{ window | date: '%Y%m%d' }}", "{{ window | date: '%H' }}"],
      'hour',
      ['20170428', '05'],
      ['2017-04-28T05'],
    ],
    [["{{ window | date: '%Y%m%d%H%M' }}"], '15m', ['201704280515'], ['2017-04-28T05:15+15m']],
    [["{{ window | date: '%Y%m%d%H%M' }}"], '15m', ['201704280510'], []],
    [
      ["{{ window | date: '%Y%m%d' }}"],
      '6h',
      ['20170428'],
      ['00', '06', '12', '18'].map((hour) => `2017-04-28T${hour}:00+6h`),
    ],
    [["{{ window | date: '%G-W%V' }}"], 'week', ['2020-W53'], ['2020-W53']],
    [["{{ window | minus: '1 week' | date: '%G-W%V' }}"], 'week', ['2020-W53'], ['2021-W01']],
    [["{{ window | date: '%Y%q' }}"], 'quarter', ['20172'], ['2017-Q2']],
    [["{{ window | minus: '1 quarter' | date: '%Y%q' }}"], 'quarter', ['20164'], ['2017-Q1']],
    [['{{ window }}'], 'year', ['2017'], ['2017']],
    // From Thursday on, Good Friday, the weekend and Easter Monday are free.
    [["{{ window | minus: '1 business day' | date: '%F' }}"], 'business_day', ['2017-04-13'], ['2017-04-18']],
    [
      ["{{ window | minus: '3 business days' | date: '%F' }}"],
      'business_day',
      ['2017-04-13'],
      ['2017-04-20'],
    ],
    [
      ["{{ window | minus: '1 business day' | date: '%F' }}"],
      'day',
      ['2017-04-13'],
      ['2017-04-14', '2017-04-15', '2017-04-16', '2017-04-17', '2017-04-18'],
    ],
    [["{{ window | minus: '1 business day' | date: '%F' }}"], 'day', ['2017-04-15'], []],
    [['{{ window }}'], 'business_day', ['2017-04-15'], []],
    // Two dates: both must fit.
    [
      ["{{ window | minus: '1d' | date: '%Y%m%d' }}_{{ window | date: '%Y%m%d' }}"],
      'day',
      ['20170427_20170428'],
      ['2017-04-28'],
    ],
    [
      ["{{ window | minus: '1d' | date: '%Y%m%d' }}_{{ window | date: '%Y%m%d' }}"],
      'day',
      ['20170426_20170428'],
      [],
    ],
    [["part.{{ window | date: '%Y+%m' }}(x)"], 'month', ['part.2017+04(x)'], ['201704']],
  ])('%j of a job for every %s: %j serves %j', (levels, unit, values, keys) => {
    expect(
      template(levels, unit)
        .windows(values)
        .map(({ key }) => key),
    ).toEqual(keys);
  });

  it.each<[levels: string[], unit: WindowUnit, identifies: boolean]>([
    [["{{ window | date: '%Y%m%d' }}"], 'day', true],
    [["{{ window | date: '%Y%m' }}"], 'day', false],
    [["{{ window | date: '%Y%m' }}"], 'month', true],
    [["{{ window | date: '%F' }}"], 'business_day', true],
    [["{{ window | date: '%G%V' }}"], 'week', true],
    [["{{ window | date: '%F' }}"], 'week', true],
    [["{{ window | date: '%Y%m%d%H' }}"], '15m', false],
    [["{{ window | date: '%Y%m%d%H' }}"], '6h', true],
    [["{{ window | date: '%Y%m%d' }}"], 'hour', false],
    [["{{ window | minus: '1 month' | date: '%Y%m%d' }}"], 'day', true],
    [["{{ window | minus: '1 month' | date: '%Y%m' }}", "{{ window | date: '%d' }}"], 'day', true],
  ])('%j of a job for every %s identifies one window: %s', (levels, unit, identifies) => {
    expect(template(levels, unit).identifiesOneWindow).toBe(identifies);
  });

  it.each<[levels: string[], unit: WindowUnit, example: string]>([
    [["{{ window | date: '%m%d' }}"], 'day', '0229'],
    [["{{ window | date: '%H' }}"], 'hour', '00'],
    [["{{ window | date: '%A' }}"], 'day', 'Monday'],
    // The year of a week is %G.
    [["{{ window | date: '%Y-W%V' }}"], 'week', '2016-W09'],
  ])('%j of a job for every %s is refused: it cannot be read back', (levels, unit) => {
    expect(compile(levels, unit)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/does not tell which/) as string,
    });
  });

  it('are those that render to it: whatever the shift, the pattern and the zone', () => {
    const patterns: Record<(typeof WINDOW_UNITS)[number] | '15m' | '6h', string[]> = {
      '15m': ['%Y%m%d%H%M', '%Y-%m-%dT%H:%M', '%Y%m%d%H', '%-I:%M%p %F'],
      '6h': ['%Y%m%d%H', '%FT%H:%M', '%F', '%Y%m'],
      business_day: ['%Y%m%d', '%GW%V', '%Y%m'],
      week: ['%GW%V', '%F', '%G', '%Y%m%d'],
      quarter: ['%YQ%q', '%Y%m', '%F'],
      year: ['%Y', '%Y%m', '%F'],
      hour: ['%Y%m%d%H', '%FT%H:%M', '%F', '%-I%p %-d %b %y'],
      day: ['%Y%m%d', '%d.%m.%Y', '%j-%Y', '%b %-d %Y', '%GW%V', '%Y%m', '%YQ%q'],
      month: ['%Y%m', '%B %Y', '%F', '%YQ%q', '%Y'],
    };
    const shifts = [
      "| minus: '2d'",
      "| plus: '1 day'",
      "| minus: '1 month'",
      "| plus: '3 months' | minus: '1d'",
      "| minus: '1 year'",
      "| minus: '5h'",
      "| minus: '3 business days'",
      "| plus: '1 business day'",
      "| minus: '1 month' | plus: '2 business days'",
      "| minus: '1 quarter'",
      '',
    ];
    const calendars = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York'].flatMap((zone) =>
      ['00:00', '22:00'].map((dayStarts) => createCalendar(zone, dayStarts, { holidays: HOLIDAYS })),
    );
    const time = fc.oneof(
      fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2035, 0) }),
      fc.integer({ min: Date.UTC(2017, 3, 1), max: Date.UTC(2017, 4, 15) }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...shifts),
        fc.constantFrom(...calendars),
        fc
          .constantFrom(...WINDOW_UNITS, '15m' as const, '6h' as const)
          .chain((unit) => fc.tuple(fc.constant(unit), fc.constantFrom(...patterns[unit]))),
        time,
        (shift, here, [unit, pattern], at) => {
          const compiled = compilePieces(`{{ window ${shift} | date: '${pattern}' }}`, {}, '');
          if (!compiled.ok) throw new Error(compiled.message);
          const made = compilePartition([compiled.value], here, unit);
          if (!made.ok) throw new Error(made.message);
          const window = here.at(unit, at);
          const served = made.value.windows(made.value.render(window));
          expect(served.map(({ key }) => key)).toContain(window.key);
          for (const other of served) expect(made.value.render(other)).toEqual(made.value.render(window));
        },
      ),
      { numRuns: 300 },
    );
  });
});

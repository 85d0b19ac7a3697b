import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parsePartitionPath, partitionPath } from '../../src/messages/index.ts';
import { describeFormat, readFormat } from '../../src/trigger/format.ts';
import { partitionsIn, rangeFormat, rangeUnit } from '../../src/trigger/range.ts';
import { NEEDS, config } from './config.ts';

const UTC = { timezone: 'UTC', day_starts: '00:00' };
const format = (path: string) => readFormat(parsePartitionPath(path.replaceAll('%', '%25')) ?? []);
const range = (text: string, path: string, calendar = UTC): string[] =>
  partitionsIn(text, format(path), { calendar }).map(partitionPath);

describe('a range has every partition from its first to its last date', () => {
  test.each([
    ['2017-01..2017-03', 'yyyymm=%Y%m', 'yyyymm=201701 yyyymm=201702 yyyymm=201703'],
    ['201701..201703', 'yyyymm=%Y%m', 'yyyymm=201701 yyyymm=201702 yyyymm=201703'],
    ['2016-12..2017-01', 'm=%Y-%m', 'm=2016-12 m=2017-01'],
    ['2017-02', 'm=%Y%m', 'm=201702'],
    ['2015..2017', 'y=%Y', 'y=2015 y=2016 y=2017'],
    ['2017-02-27..2017-03-01', 'dt=%Y-%m-%d', 'dt=2017-02-27 dt=2017-02-28 dt=2017-03-01'],
    ['2016-02-28..20160301', 'dt=%Y%m%d', 'dt=20160228 dt=20160229 dt=20160301'],
    ['2017-04-28T22..2017-04-29T01', 'h=%Y%m%d%H', 'h=2017042822 h=2017042823 h=2017042900 h=2017042901'],
    ['2017042822..2017042823', 'h=%Y-%m-%dT%H', 'h=2017-04-28T22 h=2017-04-28T23'],
    ['2016-12..2017-01', 'year=%Y/month=%m', 'year=2016/month=12 year=2017/month=01'],
    ['2017-01..2017-12', 'q=%Y-q%q', 'q=2017-q1 q=2017-q2 q=2017-q3 q=2017-q4'],
    ['2016-W52..2017-W02', 'week=%G-W%V', 'week=2016-W52 week=2017-W01 week=2017-W02'],
    ['2020-W53', 'week=%GW%V', 'week=2020W53'],
    ['2016-Q4..2017-Q1', 'q=%Y-q%q', 'q=2016-q4 q=2017-q1'],
    ['2017-Q1', 'm=%Y%m', 'm=201701 m=201702 m=201703'],
    [
      '2017-W01',
      'dt=%F',
      'dt=2017-01-02 dt=2017-01-03 dt=2017-01-04 dt=2017-01-05 dt=2017-01-06 dt=2017-01-07 dt=2017-01-08',
    ],
    ['2017-04-28T05:58..2017-04-28T06:00', 't=%Y%m%d%H%M', 't=201704280558 t=201704280559 t=201704280600'],
    ['2017-01-01..2017-01-15', 'week=%G-W%V', 'week=2016-W52 week=2017-W01 week=2017-W02'],
    // A level without directives is the same in every event.
    ['2017-01..2017-02', 'm=%Y%m/region=us', 'm=201701/region=us m=201702/region=us'],
    // The table's own way to write a date comes before the usual ones.
    ['01042017..02042017', 'dt=%d%m%Y', 'dt=01042017 dt=02042017'],
    ['p2017-01..p2017-02', 'm=p%Y-%m', 'm=p2017-01 m=p2017-02'],
  ])('%s of %s', (text, path, expected) => {
    expect(range(text, path)).toEqual(expected.split(' '));
  });

  test.each(['dt=%Y%m%d', 'h=%Y%m%d%H'])(
    'a range of more partitions of %s than any table has is refused at once',
    (path) => {
      const before = process.cpuUsage();
      expect(() => range('1000-01..9999-12', path)).toThrow(/^--range 1000-01..9999-12 has \d+ partitions$/);
      // Microseconds of work, whatever else this machine does: they are counted, not made.
      expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
    },
  );

  test('an end such as 2017-02 stands for all days of that month', () => {
    expect(range('2017-02', 'dt=%Y%m%d')).toHaveLength(28);
    expect(range('2016..2017', 'dt=%Y%m%d')).toHaveLength(366 + 365);
    expect(range('2017-01-01', 'h=%Y%m%d%H')).toHaveLength(24);
    expect(range('2017', 'm=%Y%m')).toEqual(range('2017-01..2017-12', 'm=%Y%m'));
  });

  test('an hour that the clock skips in spring has no partition, and one that it repeats in autumn has one', () => {
    const Berlin = { timezone: 'Europe/Berlin', day_starts: '00:00' };
    expect(
      range('2017-03-26T01..2017-03-26T03', 'h=%H/d=%F', Berlin).map((path) => path.slice(0, 4)),
    ).toEqual(['h=01', 'h=03']);
    expect(range('2017-10-29', 'h=%Y%m%d%H', Berlin)).toHaveLength(24);
  });

  test('partitions come in order, each once, with the two ends first and last', () => {
    const months = fc.integer({ min: 0, max: 12 * 20 }).map((month) => {
      const date = new Date(Date.UTC(1900, month));
      return { month, text: date.toISOString().slice(0, 7) };
    });
    fc.assert(
      fc.property(months, months, (a, b) => {
        const [from, to] = a.month <= b.month ? [a, b] : [b, a];
        const values = range(`${from.text}..${to.text}`, 'm=%Y-%m').map((path) => path.slice(2));
        expect(values).toHaveLength(to.month - from.month + 1);
        expect(values).toEqual([...new Set(values)].sort());
        expect([values[0], values.at(-1)]).toEqual([from.text, to.text]);
      }),
    );
  });
});

describe('a text that is not a range is refused', () => {
  test.each([
    ['2017-13..2018-01', '--range 2017-13..2018-01 is not a range of dates', '2017-13 is not a date'],
    [
      '2017-02-30..2017-03-01',
      '--range 2017-02-30..2017-03-01 is not a range of dates',
      '2017-02-30 is not a date',
    ],
    ['2017-01..', '--range 2017-01.. is not a range of dates', 'It has two dates'],
    [
      '2017-01..2017-02..2017-03',
      '--range 2017-01..2017-02..2017-03 is not a range of dates',
      'It has two dates',
    ],
    ['soon', '--range soon is not a range of dates', 'soon is not a date'],
    [
      '2017-01-05..2017-02',
      '--range 2017-01-05..2017-02 is finer than the partition',
      '2017-01-05 is one day',
    ],
  ])('%s', (text, message, why) => {
    expect(() => range(text, 'm=%Y%m')).toThrow(
      expect.objectContaining({ message, why: expect.stringContaining(why) as string }) as Error,
    );
  });

  test('a range that ends before it begins is refused, with a hint at --backwards', () => {
    expect(() => range('2017-12..2017-01', 'm=%Y%m')).toThrow(
      expect.objectContaining({ next: ['hippo trigger --range 2017-01..2017-12 --backwards'] }) as Error,
    );
  });
});

describe('how the partitions of a range are written', () => {
  const find = (table: string, said: string, usual = '', yaml = NEEDS): string =>
    describeFormat(
      rangeFormat(
        {
          table,
          said: [...(parsePartitionPath(said.replaceAll('%', '%25')) ?? [])],
          usual: [...(parsePartitionPath(usual) ?? [])],
        },
        config(yaml),
      ),
    );

  it.each([
    ['as --partition says', 'btd.party', 'dt=%Y-%m-%d/region=eu', '', 'dt=%Y-%m-%d/region=eu'],
    ['as a job needs it, whatever its shift', 'btd.party', '', '', 'yyyymm=%Y%m'],
    ['in whatever case the table is written', 'BTD.Party', '', '', 'yyyymm=%Y%m'],
    ['as one of several that would do needs it', 'btd.rates', '', '', 'day=%Y-%m-%d'],
    ['with the levels that the job fixes', 'btd.sales', '', '', 'dt=%Y-%m-%d/region=us'],
    ['with a fixed level that --partition says', 'btd.sales', 'region=eu', '', 'dt=%Y-%m-%d/region=eu'],
    [
      'of those for each value, that which --partition says',
      'btd.clicks',
      'region=eu',
      '',
      'hour=%Y%m%d%H/region=eu',
    ],
    [
      'the same, by trigger.partition',
      'btd.clicks',
      '',
      'hour=2017010100/region=us',
      'hour=%Y%m%d%H/region=us',
    ],
    [
      'as the sample in trigger.partition is',
      'a.b',
      '',
      'yyyymm=202401/origin=sample',
      'yyyymm=%Y%m/origin=sample',
    ],
    ['the same, by day', 'a.b', '', 'dt=2024-01-01', 'dt=%Y-%m-%d'],
    ['the same, by hour', 'a.b', '', 'h=2024010105', 'h=%Y%m%d%H'],
    ['the same, of several levels', 'a.b', '', 'year=2024/month=01', 'year=%Y/month=%m'],
  ])('%s', (_, table, said, usual, expected) => {
    expect(find(table, said, usual)).toBe(expected);
  });

  it.each([
    ['no format is known', 'a.b', '', 'how is the date written in the partition of a.b?'],
    [
      'a job takes partitions of any form',
      'btd.any',
      '',
      'how is the date written in the partition of btd.any?',
    ],
    ['no level is a date', 'a.b', 'region=us', 'how is the date written in the partition of a.b?'],
    ['the date has no year', 'a.b', 'month=%m', 'how is the date written in the partition of a.b?'],
    ['it could be several', 'btd.clicks', '', 'which partitions of btd.clicks?'],
    ['a directive does not exist', 'a.b', 'dt=%Y%k', '--partition dt=%Y%k uses %k, which does not exist'],
  ])('is asked for where %s', (_, table, said, message) => {
    expect(() => find(table, said)).toThrow(message);
  });

  it('is refused with an example of what to type if the partition has no date', () => {
    expect(() => find('a.b', 'yyyymm=201701/region=us')).toThrow(
      expect.objectContaining({
        next: [
          'hippo trigger --table a.b --partition yyyymm=%Y%m --partition region=us --range 2017-01..2017-12',
        ],
      }) as Error,
    );
  });
});

describe('partitions finer than a day', () => {
  const yaml = `
jobs:
  quarter: { every: 15m, needs: [{ table: a.a, partition: { t: "{{ window | date: '%Y%m%d%H%M' }}" } }] }
  half: { every: 30m, needs: [{ table: a.a, partition: { t: "{{ window | date: '%Y%m%d%H%M' }}" } }] }
  part: { every: 6h, needs: [{ table: a.b, partition: { h: "{{ window | date: '%Y%m%d%H' }}" } }] }
  day: { every: day, needs: [{ table: a.c, partition: { h: "{{ window | date: '%Y%m%d' }}00" } }] }
`;
  const found = (table: string, text: string, timezone = 'UTC'): string[] => {
    const written = rangeFormat({ table, said: [], usual: [] }, config(yaml));
    const every = rangeUnit(table, written, config(yaml));
    const clock = { calendar: { timezone, day_starts: '00:00' }, ...(every !== undefined && { every }) };
    return partitionsIn(text, written, clock).map(partitionPath);
  };

  it('are those of the windows of the job that needs them, of several the shortest', () => {
    expect(found('a.a', '2017-04-28T05:30..2017-04-28T06:15')).toEqual([
      't=201704280530',
      't=201704280545',
      't=201704280600',
      't=201704280615',
    ]);
    expect(found('a.b', '2017-04-28')).toEqual([
      'h=2017042800',
      'h=2017042806',
      'h=2017042812',
      'h=2017042818',
    ]);
    expect(found('a.c', '2017-04-28')).toEqual(['h=2017042800']);
  });

  it('that the clock skips are left out, and one that it repeats is there once', () => {
    expect(found('a.a', '2017-03-26', 'Europe/Berlin')).toHaveLength(92);
    expect(found('a.a', '2017-10-29', 'Europe/Berlin')).toHaveLength(96);
  });
});

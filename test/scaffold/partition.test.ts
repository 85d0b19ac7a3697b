import { describe, expect, it } from 'vitest';
import { type Frequency, readPartition } from '../../src/scaffold/partition.ts';

function values(text: string, every: Frequency): Record<string, string> {
  const read = readPartition(text, every);
  if ('problem' in read) throw new Error(read.problem);
  return Object.fromEntries(read.value.map((level) => [level.name, level.value]));
}

function problem(text: string, every: Frequency): string | undefined {
  const read = readPartition(text, every);
  return 'problem' in read ? read.problem : undefined;
}

describe('partition levels of a table', () => {
  it.each<[string, Frequency, Record<string, string>]>([
    ['yyyymm', 'month', { yyyymm: "{{ window | date: '%Y%m' }}" }],
    ['yyyymmdd', 'day', { yyyymmdd: "{{ window | date: '%Y%m%d' }}" }],
    ['yyyymmddhh', 'hour', { yyyymmddhh: "{{ window | date: '%Y%m%d%H' }}" }],
    ['YYYYMM', 'month', { YYYYMM: "{{ window | date: '%Y%m' }}" }],
    ['year, month', 'month', { year: "{{ window | date: '%Y' }}", month: "{{ window | date: '%m' }}" }],
    ['dt=%Y-%m-%d,region=us', 'day', { dt: "{{ window | date: '%Y-%m-%d' }}", region: 'us' }],
    ['part=m%Y%m', 'month', { part: "{{ window | date: 'm%Y%m' }}" }],
    ['yyyymmdd=%Y%m01', 'month', { yyyymmdd: "{{ window | date: '%Y%m01' }}" }],
    ['anything,at_all', 'event', { anything: '', at_all: '' }],
  ])('%s, every %s', (text, every, expected) => {
    expect(values(text, every)).toEqual(expected);
  });

  it.each<[string, Frequency, RegExp]>([
    ['2024', 'day', /"2024" is no level/],
    ['yyyymm,', 'month', /"" is no level/],
    ['yyyymm,yyyymm', 'month', /yyyymm occurs twice/],
    ['dt', 'day', /which dt\? Write dt=us .* dt=%Y-%m-%d/],
    ['dt=', 'day', /which dt\?/],
    ['region=us', 'day', /does not tell the day .* %Y, %m, %d missing/],
    ['yyyymm', 'day', /does not tell the day .* %d missing/],
    ['yyyymmdd', 'month', /yyyymmdd is finer than one month: choose --every day/],
    ['yyyymmddhh', 'day', /finer than one day: choose --every hour/],
    ['dt=%Y/%m', 'month', /may hold letters/],
    ['dt=%s', 'month', /may hold letters/],
    ["dt=' | x", 'month', /may hold letters/],
    ['yyyymm=%Y%m', 'event', /any yyyymm will do: write yyyymm alone/],
  ])('refuses %s, every %s', (text, every, expected) => {
    expect(problem(text, every)).toMatch(expected);
  });

  it('gives the job its own template of the argument, and the sample a value', () => {
    expect(readPartition('yyyymm,group', 'event')).toEqual({
      value: [
        {
          name: 'yyyymm',
          value: '',
          format: '',
          argument: 'yyyymm={{ partition.yyyymm }}',
          sample: '202401',
          folder: 'yyyymm=202401',
        },
        {
          name: 'group',
          value: '',
          format: '',
          argument: 'group={{ partition.group }}',
          sample: 'sample',
          folder: 'group=sample',
        },
      ],
    });
    expect(readPartition('dt=%Y-%m-%d,region=us', 'day')).toMatchObject({
      value: [
        { argument: "dt={{ window | date: '%Y-%m-%d' }}", sample: '2024-01-01' },
        { argument: 'region=us', sample: 'us' },
      ],
    });
    // A colon in the name of a folder is written as Hive writes it.
    expect(readPartition('at=%Y-%m-%dT%H:00', 'hour')).toMatchObject({
      value: [{ sample: '2024-01-01T00:00', folder: 'at=2024-01-01T00%3A00' }],
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Partition,
  parsePartitionPath,
  partitionPath,
  partitionValues,
} from '../../src/messages/index.ts';

const PATHS: [string, Partition][] = [
  ['', []],
  ['yyyymm=201704', [{ name: 'yyyymm', value: '201704' }]],
  [
    'yyyymm=201704/region=us',
    [
      { name: 'yyyymm', value: '201704' },
      { name: 'region', value: 'us' },
    ],
  ],
  ['201704', [{ name: '', value: '201704' }]],
  ['ts=2017-04-05 10%3A00', [{ name: 'ts', value: '2017-04-05 10:00' }]],
  ['path=a%2Fb%3Dc%25', [{ name: 'path', value: 'a/b=c%' }]],
  ['stadt=Zürich', [{ name: 'stadt', value: 'Zürich' }]],
];

it.each(PATHS)('%j as Hive writes it', (path, partition) => {
  expect(partitionPath(partition)).toBe(path);
  expect(parsePartitionPath(path)).toStrictEqual(partition);
});

it.each(['a=', '=', 'a=1/', '/', 'a=1//b=2', 'a=1/a=2'])('%j is no partition', (path) => {
  expect(parsePartitionPath(path)).toBeUndefined();
});

describe('any partition', () => {
  const word = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0'));
  const partition = fc
    .uniqueArray(fc.record({ name: word, value: word }), { selector: ({ name }) => name })
    .map((levels) => levels as Partition);

  it('survives its path', () => {
    fc.assert(
      fc.property(partition, (levels) => {
        expect(parsePartitionPath(partitionPath(levels))).toEqual(levels);
      }),
    );
  });
});

it('gives the values by level name, and by position where a level has none', () => {
  const levels = [
    { name: 'yyyymm', value: '201704' },
    { name: '', value: 'us' },
    { name: '__proto__', value: 'x' },
  ];
  expect(Object.entries(partitionValues(levels))).toStrictEqual([
    ['1', 'us'],
    ['yyyymm', '201704'],
    ['__proto__', 'x'],
  ]);
});

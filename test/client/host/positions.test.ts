import { expect, test } from 'vitest';
import { startPositions } from '../../../src/client/host/positions.ts';
import type { OffsetRange } from '../../../src/kafka/port.ts';
import type { Positions } from '../../../src/state/index.ts';

const TOPIC = 'frontier-adw';

const range = (partition: number, low: bigint, high: bigint): OffsetRange => ({
  partition,
  low,
  high,
  stable: high,
});

const positions = (of: Readonly<Record<number, bigint>>, topic = TOPIC): Positions =>
  new Map([[topic, new Map(Object.entries(of).map(([partition, offset]) => [Number(partition), offset]))]]);

function startsAt(
  ranges: readonly OffsetRange[],
  known: Positions,
  startFrom: 'beginning' | 'end',
): [number, bigint][] {
  return startPositions(TOPIC, ranges, known, startFrom).from.map(({ partition, offset }) => [
    partition,
    offset,
  ]);
}

test.each([
  ['beginning', 2n],
  ['end', 9n],
] as const)('a first start begins at the %s', (startFrom, offset) => {
  expect(startsAt([range(0, 2n, 9n)], new Map(), startFrom)).toEqual([[0, offset]]);
});

test.each(['beginning', 'end'] as const)(
  'a later start reads a partition that was added from its beginning, with start_from: %s',
  (startFrom) => {
    const ranges = [range(0, 2n, 9n), range(1, 0n, 3n)];
    expect(startsAt(ranges, positions({ 0: 5n }), startFrom)).toEqual([
      [0, 5n],
      [1, 0n],
    ]);
  },
);

test('a later start reads a topic that was made since from its beginning', () => {
  expect(startsAt([range(0, 0n, 3n)], positions({ 0: 5n }, 'hippo-finish'), 'end')).toEqual([[0, 0n]]);
});

test.each([
  ['removed', 1n, 2n],
  ['shorter', 10n, 2n],
] as const)('a position outside of the log: %s', (cause, from, to) => {
  expect(startPositions(TOPIC, [range(0, 2n, 9n)], positions({ 0: from }), 'end')).toEqual({
    from: [{ topic: TOPIC, partition: 0, offset: to }],
    jumps: [{ topic: TOPIC, partition: 0, from, to, cause }],
  });
});

import { Map as PersistentMap } from 'immutable';
import { describe, expect, test } from 'vitest';
import { committable, startPositions } from '../../../src/client/host/positions.ts';
import { newRun } from '../../../src/client/machine/firing.ts';
import type { OffsetRange } from '../../../src/kafka/port.ts';
import { type Positions, withPosition, withSince } from '../../../src/state/index.ts';

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
  return startPositions({ topic: TOPIC }, ranges, known, startFrom).from.map(({ partition, offset }) => [
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
  'a topic that is read for message needs alone begins at its end the first time, with start_from: %s',
  (startFrom) => {
    const begins = (known: Positions): bigint[] =>
      startPositions({ topic: TOPIC, startsAtEnd: true }, [range(0, 2n, 9n)], known, startFrom).from.map(
        ({ offset }) => offset,
      );
    expect(begins(new Map())).toEqual([9n]);
    expect(begins(positions({ 0: 1n }, 'another'))).toEqual([9n]);
    expect(begins(positions({ 0: 5n }))).toEqual([5n]);
    // A partition that was added since.
    expect(begins(positions({ 1: 5n }))).toEqual([2n]);
  },
);

test('partitions that could not be read at the first start begin at what was written since', () => {
  const known = withSince(positions({ 0: 5n }), { topic: TOPIC }, 1_493_394_946_000);
  const topic = { topic: TOPIC, startsAtEnd: true, written: new Map([[1, 7n]]) };
  const ranges = [range(0, 2n, 9n), range(1, 2n, 9n), range(2, 2n, 9n)];
  const start = startPositions(topic, ranges, known, 'end');
  // Of the third one it is not known yet what was written since.
  expect(start.from.map(({ partition, offset }) => [partition, offset])).toEqual([
    [0, 5n],
    [1, 7n],
  ]);
  expect(start.beginsAtEnd).toBe(false);
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
  const start = startPositions({ topic: TOPIC }, [range(0, 2n, 9n)], positions({ 0: from }), 'end');
  expect(start).toEqual({
    beginsAtEnd: false,
    from: [{ topic: TOPIC, partition: 0, offset: to }],
    jumps: [{ topic: TOPIC, partition: 0, from, to, cause }],
  });
});

/** Read up to 10 in partition 0 and 3 in partition 1, of the topic `old`. */
const OLD = [
  { topic: TOPIC, topicId: 'old', partition: 0, offset: 10n },
  { topic: TOPIC, topicId: 'old', partition: 1, offset: 3n },
].reduce<Positions>(withPosition, new Map());

describe('a topic that was deleted and made again', () => {
  const of = (partition: number, offset: bigint) => ({ topic: TOPIC, topicId: 'new', partition, offset });
  const ranges = [range(0, 0n, 15n), range(1, 0n, 0n), range(2, 0n, 1n)];

  test('is read from its beginning, however long its log is', () => {
    const start = startPositions({ topic: TOPIC, topicId: 'new' }, ranges, OLD, 'end');
    expect(start.from).toEqual(
      [0, 1, 2].map((partition) => ({ topic: TOPIC, topicId: 'new', partition, offset: 0n })),
    );
    expect(start.jumps).toEqual([
      { topic: TOPIC, partition: 0, from: 10n, to: 0n, cause: 'made-again' },
      { topic: TOPIC, partition: 1, from: 3n, to: 0n, cause: 'made-again' },
    ]);
  });

  test('is another one: the same goes on', () => {
    const { from, jumps } = startPositions({ topic: TOPIC, topicId: 'old' }, ranges.slice(0, 1), OLD, 'end');
    expect([from, jumps]).toEqual([[{ topic: TOPIC, topicId: 'old', partition: 0, offset: 10n }], []]);
  });

  test('has offsets to commit that go back, and no unfinished run of the topic before holds them', () => {
    const written = [of(0, 5n), of(1, 1n)].reduce<Positions>(withPosition, OLD);
    const input = {
      topic: TOPIC,
      topicId: 'old',
      partition: 0,
      offset: '2',
      need: 'btd.party',
      version: 1,
      values: {},
      at: 0,
    };
    const run = newRun({ job: 'load', key: '2017-04-28' }, PersistentMap({ 'btd.party': input }), 0);
    expect(committable(written, [run], OLD)).toEqual(written);
  });
});

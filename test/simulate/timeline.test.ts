import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeline } from '../../src/simulate/timeline.ts';

const record = fc.record({
  topic: fc.constantFrom('a', 'b'),
  partition: fc.nat(2),
  offset: fc.bigInt(0n, 1000n),
  timestamp: fc.integer({ min: -1, max: 50 }),
});
const records = fc.uniqueArray(record, {
  selector: ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`,
  maxLength: 30,
});

test('in whatever order records come, each partition is read by its offsets, and time never goes back', () => {
  fc.assert(
    fc.property(
      records.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const line = timeline(shuffled.map((each) => ({ record: each })));
        expect(line).toEqual(timeline(all.map((each) => ({ record: each }))));
        expect(new Set(line.map(({ item }) => item.record))).toEqual(new Set(all));
        for (const [index, { at, item }] of line.entries()) {
          const before = line.slice(0, index);
          expect(before.every((earlier) => earlier.at <= at)).toBe(true);
          const { topic, partition, offset } = item.record;
          const sooner = before.filter(
            ({ item: { record: other } }) => other.topic === topic && other.partition === partition,
          );
          expect(sooner.every(({ item: { record: other } }) => other.offset < offset)).toBe(true);
        }
      },
    ),
  );
});

test('a record keeps its own time, unless its partition was later already', () => {
  const place = { topic: 'a', partition: 0 };
  const times = [5, 9, 7, -1, 12].map((timestamp, offset) => ({
    record: { ...place, offset: BigInt(offset), timestamp },
  }));
  expect(timeline(times).map(({ at }) => at)).toEqual([5, 9, 9, 9, 12]);
});

test('a record whose time no date has, in nanoseconds for one, comes right after the one before it', () => {
  const times = [5, 1_493_394_946_123_456_768, 7].map((timestamp, index) => ({
    record: { topic: 'a', partition: 0, offset: BigInt(index), timestamp },
  }));
  expect(timeline(times).map(({ at }) => at)).toEqual([5, 5, 7]);
});

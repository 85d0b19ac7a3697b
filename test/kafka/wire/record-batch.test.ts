import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BatchOrigin, BatchWriter } from '../../../src/kafka/wire/batch-writer.ts';
import { splitBatch } from '../../../src/kafka/wire/split-batch.ts';
import type { Headers, KafkaRecord } from '../../../src/kafka/port.ts';
import { BatchRecords, batchAt, isControl, isTransactional } from '../../../src/kafka/wire/record-batch.ts';

interface Content {
  key: Buffer | null;
  value: Buffer | null;
  headers: Headers;
  timestamp: number;
}

interface Encoder {
  buffer: Buffer;
}

/** kafkajs's encoder, which is slow and known to be right. */
const load = createRequire(import.meta.url);
const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<Encoder>;
};
const Record = load('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => Encoder;

async function byKafkajs(records: readonly Content[], origin: BatchOrigin): Promise<Buffer> {
  const firstTimestamp = records[0]?.timestamp ?? 0;
  const batch = await RecordBatch({
    firstTimestamp,
    maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
    // What Java's producer writes, too: only a broker knows it.
    partitionLeaderEpoch: -1,
    lastOffsetDelta: records.length - 1,
    transactional: origin.transactional,
    producerId: String(origin.producerId),
    producerEpoch: origin.producerEpoch,
    firstSequence: origin.baseSequence,
    records: records.map(({ timestamp, ...record }, offsetDelta) =>
      Record({ ...record, offsetDelta, timestampDelta: timestamp - firstTimestamp }),
    ),
  });
  return batch.buffer;
}

const ORIGIN: BatchOrigin = { producerId: 7n, producerEpoch: 1, baseSequence: 0, transactional: false };

function byHippo(
  records: readonly Content[],
  origin: BatchOrigin = ORIGIN,
  writer = new BatchWriter(2 ** 30),
): Buffer {
  for (const { key, value, headers, timestamp } of records)
    expect(writer.append(key, value, headers, timestamp)).toBe(true);
  return writer.seal(origin);
}

function decode(bytes: Buffer): KafkaRecord[] {
  const batch = batchAt(bytes, 0)!;
  const records: KafkaRecord[] = [];
  new BatchRecords(bytes, batch, { topic: 't', partition: 0, from: 0, until: Infinity }).read(
    records,
    Infinity,
  );
  return records;
}

const content = ({ key, value, headers, timestamp }: Content): Content => ({
  key,
  value,
  headers: { ...headers },
  timestamp,
});

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));
const large = fc.integer({ min: 0, max: 20_000 }).map((length) => Buffer.alloc(length, 'large'));
/** @param value of a header: kafkajs writes none without */
const recordWith = (value: fc.Arbitrary<Buffer | null>): fc.Arbitrary<Content> =>
  fc.record({
    key: fc.option(bytes(70), { nil: null }),
    value: fc.option(fc.oneof({ weight: 4, arbitrary: bytes(200) }, large), { nil: null }),
    headers: fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 10 }),
      fc.oneof(
        { weight: 3, arbitrary: value },
        { weight: 1, arbitrary: fc.array(value, { minLength: 2, maxLength: 3 }) },
      ),
      { maxKeys: 4 },
    ),
    timestamp: fc.oneof(
      fc.integer({ min: 1_493_394_946_000, max: 1_493_394_946_300 }),
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
    ),
  });
const record = recordWith(fc.option(bytes(100), { nil: null }));
const origin: fc.Arbitrary<BatchOrigin> = fc.record({
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  transactional: fc.boolean(),
});
const records = (maxLength: number, each = record): fc.Arbitrary<Content[]> =>
  fc.array(each, { minLength: 1, maxLength });

describe('a batch', () => {
  test('is byte for byte what kafkajs writes', async () => {
    await fc.assert(
      fc.asyncProperty(records(80, recordWith(bytes(100))), origin, async (all, from) => {
        expect(byHippo(all, from).equals(await byKafkajs(all, from))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each([1, 63, 64, 65, 8_191, 8_192, 8_193, 20_000])(
    'of %d records is what kafkajs writes, also where a number takes one more byte',
    async (count) => {
      const all = Array.from({ length: count }, (_, index) => ({
        key: Buffer.from(`k${index}`),
        value: Buffer.alloc(index % 300, index % 256),
        headers: {},
        timestamp: 1_493_394_946_000 + index * 7,
      }));
      expect(byHippo(all).equals(await byKafkajs(all, ORIGIN))).toBe(true);
    },
  );

  test.each([63, 64, 8_191, 8_192, 1_048_575, 1_048_576, 3_000_000])(
    'with a value of %d bytes is what kafkajs writes',
    async (length) => {
      const all = [{ key: null, value: Buffer.alloc(length, 'value'), headers: {}, timestamp: 1 }];
      expect(byHippo(all).equals(await byKafkajs(all, ORIGIN))).toBe(true);
    },
  );

  test.each([0, 63, 64, -64, -65, 2 ** 31, -(2 ** 31), 2 ** 32 + 1, 1_493_394_946_000, -1_493_394_946_000])(
    'with a record %d ms after the first one is what kafkajs writes',
    async (delta) => {
      const first = { key: null, value: null, headers: {}, timestamp: 1_500_000_000_000 };
      const all = [first, { ...first, timestamp: first.timestamp + delta }];
      expect(byHippo(all).equals(await byKafkajs(all, ORIGIN))).toBe(true);
    },
  );

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(records(40), origin, (all, from) => {
        const written = byHippo(all, from);
        const batch = batchAt(written, 0)!;
        expect([isTransactional(batch), isControl(batch), batch.producerId, batch.end]).toEqual([
          from.transactional,
          false,
          from.producerId,
          written.length,
        ]);
        const read = decode(written);
        expect(read.map(({ offset }) => Number(offset))).toEqual(all.map((_, index) => index));
        expect(read.map(content)).toEqual(all.map(content));
      }),
    );
  });

  test('is split into two that write the same records with the same sequence numbers', () => {
    fc.assert(
      fc.property(records(40), origin, (all, from) => {
        fc.pre(all.length > 1 && from.baseSequence >= 0);
        const middle = Math.ceil(all.length / 2);
        const [first, second] = splitBatch(byHippo(all, from));
        expect(first.sealed.equals(byHippo(all.slice(0, middle), from))).toBe(true);
        const baseSequence = (from.baseSequence + middle) % 2 ** 31;
        expect(second.sealed.equals(byHippo(all.slice(middle), { ...from, baseSequence }))).toBe(true);
        expect([first.writer.count, second.writer.count]).toEqual([middle, all.length - middle]);
      }),
    );
  });

  test('does not depend on the former content or the size of its memory', () => {
    fc.assert(
      fc.property(records(20), fc.integer({ min: 61, max: 30_000 }), (all, size) => {
        const writer = new BatchWriter(2 ** 30, Buffer.alloc(size, 0xa5));
        expect(byHippo(all, ORIGIN, writer).equals(byHippo(all))).toBe(true);
      }),
    );
  });

  test('takes a value from the middle of a buffer', () => {
    fc.assert(
      fc.property(
        bytes(300),
        fc.nat(300),
        fc.nat(300),
        fc.option(bytes(50), { nil: null }),
        (all, from, length, key) => {
          const start = Math.min(from, all.length);
          const end = Math.min(start + length, all.length);
          const value = Buffer.from(all.subarray(start, end));
          const writer = new BatchWriter(2 ** 30);
          writer.appendPart({ key, bytes: all, from: start, to: end, timestamp: 5 });
          expect(writer.seal(ORIGIN).equals(byHippo([{ key, value, headers: {}, timestamp: 5 }]))).toBe(true);
        },
      ),
    );
  });

  test('that is full refuses a further record, and stays as it was', () => {
    fc.assert(
      fc.property(records(30), fc.integer({ min: 100, max: 3_000 }), (all, limit) => {
        const writer = new BatchWriter(limit);
        const taken = all.filter(({ key, value, headers, timestamp }) =>
          writer.append(key, value, headers, timestamp),
        );
        expect(writer.count).toBe(taken.length);
        expect(writer.size <= limit || taken.length === 1).toBe(true);
        const written = writer.seal(ORIGIN);
        expect(written.length).toBe(writer.size);
        expect(written.equals(byHippo(taken))).toBe(true);
      }),
    );
  });

  test('takes a first record of any size', () => {
    const writer = new BatchWriter(200);
    expect(writer.append(null, Buffer.alloc(500), undefined, 1)).toBe(true);
    expect(writer.append(null, Buffer.alloc(1), undefined, 1)).toBe(false);
    expect(writer.count).toBe(1);
  });
});

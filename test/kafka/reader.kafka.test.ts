import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import type { Kafka, Reader, RecordBatch } from '../../src/kafka/port.ts';
import { addPartitions, removeBefore } from '../support/admin.ts';
import { testBrokers } from '../support/brokers.ts';
import { readAll, remakeTopic, testKafka, testTopic } from '../support/kafka.ts';
import { Kafka as KafkaJs, logLevel } from '../support/kafkajs.ts';

/** What others write with: kcat (librdkafka), the broker's own Java, and kafkajs for aborts and deletions. */
const kafkajs = new KafkaJs({
  brokers: await testBrokers(),
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 20 },
});

async function kcat(topic: string, lines: readonly string[], ...more: string[]): Promise<void> {
  const args = ['-P', '-b', (await testBrokers()).join(','), '-t', topic, ...more];
  await execa('kcat', args, { input: lines.map((line) => `${line}\n`).join('') });
}

async function transaction(topic: string, values: string[], end: 'commit' | 'abort'): Promise<void> {
  const producer = kafkajs.producer({ transactionalId: newId(), maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const open = await producer.transaction();
  for (const value of values) await open.send({ topic, messages: [{ value }] });
  await open[end]();
  await producer.disconnect();
}

const values = (records: readonly { value: Buffer | null }[]): (string | null)[] =>
  records.map(({ value }) => value?.toString() ?? null);

/** Reads until `enough`, and closes the reader. */
async function readUntil(reader: Reader, enough: (batch: RecordBatch) => boolean): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for await (const batch of reader) {
    batches.push(batch);
    if (enough(batch)) break;
  }
  return batches;
}

const at = (topic: string, offset: bigint, partition = 0) => ({ topic, partition, offset });

test('the offsets of a topic include those of partitions that were added', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  expect(await kafka.offsets(topic)).toHaveLength(1);
  await addPartitions(await testBrokers(), topic, 3);
  await expect.poll(async () => (await kafka.offsets(topic)).length).toBe(3);
});

test('a reader reads partitions that are added, and goes on with the others', async () => {
  const kafka = await testKafka();
  const [one, other] = [await testTopic(kafka), await testTopic(kafka)];
  await kcat(one, ['1', '2']);
  await kcat(other, ['3']);
  const reader = await kafka.reader({ from: [at(one, 0n)], maxWait: 50 });
  const seen: (string | null)[] = [];
  await readUntil(reader, ({ records }) => {
    seen.push(...values(records));
    if (seen.length === 2) {
      reader.add([at(one, 0n), at(other, 0n)]);
      void kcat(one, ['4']);
    }
    return seen.length === 4;
  });
  expect(seen.toSorted()).toEqual(['1', '2', '3', '4']);
});

describe('compressed batches', () => {
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index} ${'höö '.repeat(index % 20)}`);

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('with %s, written by librdkafka, are read', async (codec) => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, lines, '-z', codec);
    expect(values(await readAll(kafka, topic))).toEqual(lines);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'with %s, written by the Java client, are read',
    async (codec) => {
      const kafka = await testKafka();
      const topic = await testTopic(kafka, 1, { 'compression.type': codec });
      await kcat(topic, lines);
      expect(values(await readAll(kafka, topic))).toEqual(lines);
    },
  );
});

describe('records of transactions', () => {
  test('that were aborted are not read, and reading ends at the end of a log that ends in markers', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await transaction(topic, ['a', 'b'], 'commit');
    await transaction(topic, ['x', 'y'], 'abort');
    await kcat(topic, ['c']);
    await transaction(topic, ['z'], 'abort');
    // Kafka writes the markers a little after it has said that a transaction has ended.
    await expect.poll(() => kafka.offsets(topic)).toEqual([{ partition: 0, low: 0n, high: 9n, stable: 9n }]);
    expect(values(await readAll(kafka, topic))).toEqual(['a', 'b', 'c']);
  });

  test('that overlap are read or left out by their own outcome', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producers = await Promise.all(
      [newId(), newId()].map(async (transactionalId) => {
        const producer = kafkajs.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
        await producer.connect();
        onTestFinished(() => producer.disconnect());
        return producer.transaction();
      }),
    );
    const [aborted, committed] = producers as [(typeof producers)[0], (typeof producers)[0]];
    for (let index = 0; index < 3; index++) {
      await aborted.send({ topic, messages: [{ value: `x${index}` }] });
      await committed.send({ topic, messages: [{ value: `a${index}` }] });
    }
    await aborted.abort();
    await committed.commit();
    expect(values(await readAll(kafka, topic))).toEqual(['a0', 'a1', 'a2']);
  });

  test('that are open are read when the transaction ends, and so are all records after them', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producer = kafkajs.producer({ transactionalId: newId(), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const open = await producer.transaction();
    await open.send({ topic, messages: [{ value: 'a' }] });
    await kcat(topic, ['b']);
    expect(await kafka.offsets(topic)).toEqual([{ partition: 0, low: 0n, high: 2n, stable: 0n }]);

    const uncommitted = await kafka.reader({
      from: [at(topic, 0n)],
      until: [at(topic, 2n)],
      readCommitted: false,
    });
    expect(values((await readUntil(uncommitted, () => false)).flatMap(({ records }) => records))).toEqual([
      'a',
      'b',
    ]);

    const reader = await kafka.reader({ from: [at(topic, 0n)], until: [at(topic, 3n)], maxWait: 50 });
    const reading = readUntil(reader, () => false);
    await sleep(300);
    expect(reader.positions()).toMatchObject([at(topic, 0n)]);
    await open.commit();
    expect(values((await reading).flatMap(({ records }) => records))).toEqual(['a', 'b']);
  });
});

describe('a log with gaps', () => {
  test('from compaction is read to its end', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '0',
    });
    const keyed = (from: number): string[] =>
      Array.from({ length: 100 }, (_, index) => `${index % 10}:${from + index}`);
    await kcat(topic, keyed(0), '-K', ':');
    await sleep(150);
    await kcat(topic, keyed(100), '-K', ':');
    await sleep(150);
    await kcat(topic, ['0:last'], '-K', ':');
    const cleaned = async (): Promise<number> => (await readAll(kafka, topic)).length;
    for (const deadline = Date.now() + 120_000; (await cleaned()) > 20 && Date.now() < deadline;)
      await sleep(100);

    const records = await readAll(kafka, topic);
    expect(records.length).toBeLessThanOrEqual(20);
    expect(values(records).slice(-10)).toEqual([
      ...Array.from({ length: 9 }, (_, index) => String(191 + index)),
      'last',
    ]);
    // Where the hole is, and where it ends, makes no difference to where reading stops.
    for (const [from, until] of [
      [0n, 50n],
      [20n, 60n],
      [100n, 191n],
    ] as const) {
      const reader = await kafka.reader({ from: [at(topic, from)], until: [at(topic, until)], maxWait: 50 });
      const batches = await readUntil(reader, () => false);
      expect(batches.at(-1)?.next).toBe(until);
    }
  });

  test('at its beginning is read from its first record, and the jump is reported', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, ['a', 'b', 'c', 'd', 'e']);
    await removeBefore(await testBrokers(), { topic: topic, partition: 0 }, 3);
    expect(await kafka.offsets(topic)).toMatchObject([{ low: 3n, high: 5n }]);
    const reader = await kafka.reader({ from: [at(topic, 1n)], until: [at(topic, 5n)] });
    const [jump, ...batches] = await readUntil(reader, () => false);
    expect(jump).toMatchObject({ records: [], next: 3n, jumped: { from: 1n, to: 3n, cause: 'removed' } });
    expect(values(batches.flatMap(({ records }) => records))).toEqual(['d', 'e']);
  });

  test('and without any record is read to its end at once', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, ['a', 'b', 'c']);
    await removeBefore(await testBrokers(), { topic, partition: 0 }, 3);
    const reader = await kafka.reader({ from: [at(topic, 0n)], until: [at(topic, 3n)] });
    expect(await readUntil(reader, () => false)).toMatchObject([{ records: [], next: 3n }]);
  });

  test('that ends before the position is read from its start', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, ['new']);
    const reader = await kafka.reader({ from: [at(topic, 1000n)], maxWait: 50 });
    const batches = await readUntil(reader, ({ records }) => records.length > 0);
    expect(batches[0]).toMatchObject({ jumped: { from: 1000n, to: 0n, cause: 'shorter' } });
    expect(values(batches.flatMap(({ records }) => records))).toEqual(['new']);
  });
});

describe('a topic that is made again under its name', () => {
  const jumped = { from: 2n, to: 0n, cause: 'made-again' };

  test('while it is read is read from the beginning of all partitions, even if its log is longer', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 2);
    await kcat(topic, ['a', 'b'], '-p', '0');
    await kcat(topic, ['c'], '-p', '1');
    const reader = await kafka.reader({ from: [at(topic, 0n), at(topic, 0n, 1)], maxWait: 50 });
    const seen: string[] = [];
    const ids = new Set<string>();
    const jumps: RecordBatch[] = [];
    await readUntil(reader, (batch) => {
      if (batch.jumped !== undefined) jumps.push(batch);
      seen.push(...values(batch.records).map((value) => `${value ?? ''}${batch.partition}`));
      for (const { topicId } of batch.records) ids.add(topicId ?? '');
      if (seen.length === 3 && jumps.length === 0) {
        void (async () => {
          await remakeTopic(kafka, topic, 2);
          await kcat(topic, ['d', 'e', 'f'], '-p', '0');
          await kcat(topic, ['g', 'h'], '-p', '1');
        })();
      }
      return seen.length >= 8;
    });
    expect(seen.slice(0, 3).toSorted()).toEqual(['a0', 'b0', 'c1']);
    expect(seen.slice(3).toSorted()).toEqual(['d0', 'e0', 'f0', 'g1', 'h1']);
    expect(jumps.map(({ partition, jumped: jump }) => ({ partition, ...jump }))).toEqual([
      { partition: 0, ...jumped },
      { partition: 1, ...jumped, from: 1n },
    ]);
    expect(ids.size).toBe(2);
    const [info] = await kafka.topics([topic]);
    expect(jumps.map(({ topicId }) => topicId)).toEqual([info?.topicId, info?.topicId]);
  });

  test('while it is not read is read from its beginning, although the position exists in the new log', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 2);
    const [{ topicId } = { topicId: '' }] = await kafka.topics([topic]);
    await remakeTopic(kafka, topic);
    await kcat(topic, ['a', 'b', 'c']);
    const from = [
      { ...at(topic, 2n), topicId },
      { ...at(topic, 0n, 1), topicId },
    ];
    const reader = await kafka.reader({ from, maxWait: 50 });
    const batches = await readUntil(reader, ({ records }) => records.length > 0);
    expect(batches[0]).toMatchObject({ jumped, next: 0n });
    expect(values(batches.flatMap(({ records }) => records))).toEqual(['a', 'b', 'c']);
    // It has one partition now.
    expect(reader.positions()).toEqual([{ ...at(topic, 3n), topicId: batches[0]?.topicId }]);
  });

  test.each([
    ['made again', 0],
    ['lost', 9],
  ])('a reading up to an end that is %s ends', async (_, offset) => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const [{ topicId } = { topicId: '' }] = await kafka.topics([topic]);
    if (offset === 0) await remakeTopic(kafka, topic);
    const reader = await kafka.reader({
      from: [{ ...at(topic, BigInt(offset)), topicId }],
      until: [at(topic, 10n)],
    });
    expect(await readUntil(reader, () => false)).toMatchObject([{ records: [], next: 0n }]);
  });

  test('and is not made again is reported as gone', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, ['a']);
    const reader = await kafka.reader({ from: [at(topic, 0n)], maxWait: 50 });
    const reading = readUntil(reader, () => {
      void kafka.deleteTopics([topic]);
      return false;
    });
    await expect(reading).rejects.toThrow(`has no topic ${topic}`);
  });
});

describe('a reader', () => {
  test('follows several partitions and topics, and stops each at its own end', async () => {
    const kafka = await testKafka();
    const [one, two] = [await testTopic(kafka, 2), await testTopic(kafka)];
    const until = [at(one, 2n), at(one, 1n, 1), at(two, 1n)];
    const reader = await kafka.reader({
      from: until.map((place) => ({ ...place, offset: 0n })),
      until,
      maxWait: 50,
    });
    const reading = readUntil(reader, () => false);
    await kcat(one, ['a', 'b', 'not read'], '-p', '0');
    await kcat(one, ['c', 'not read'], '-p', '1');
    await kcat(two, ['d']);
    const batches = await reading;
    expect(values(batches.flatMap(({ records }) => records)).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(reader.positions()).toMatchObject(until);
  });

  test('reads keys, headers, tombstones and records larger than a fetch', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 1, { 'max.message.bytes': '8000000' });
    const large = 'x'.repeat(3_000_000);
    const producer = kafkajs.producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { key: 'k', value: null, headers: { a: 'b', '': Buffer.from([0xff]) }, timestamp: '1493394946000' },
        { value: large },
        { value: '' },
      ],
    });
    await producer.disconnect();
    const [tombstone, big, empty] = await readAll(kafka, topic);
    expect(tombstone).toEqual({
      ...at(topic, 0n),
      topicId: expect.any(String) as string,
      timestamp: 1_493_394_946_000,
      key: Buffer.from('k'),
      value: null,
      headers: { a: Buffer.from('b'), '': Buffer.from([0xff]) },
    });
    expect(big?.value?.toString() === large).toBe(true);
    expect(empty?.value).toEqual(Buffer.alloc(0));
  });

  test('leaves no consumer group behind', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await kcat(topic, ['a']);
    const before = await kafka.groups();
    await readAll(kafka, topic);
    expect(await kafka.groups()).toEqual(before);
  });

  test('ends when it is closed', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const reader = await kafka.reader({ from: [at(topic, 0n)] });
    const reading = readUntil(reader, () => false);
    await sleep(100);
    await reader.close();
    expect(await reading).toEqual([]);
  });

  test('says that the topic is gone', async () => {
    const kafka: Kafka = await testKafka();
    const reader = await kafka.reader({ from: [at('nowhere', 0n)] });
    await expect(readUntil(reader, () => true)).rejects.toThrow(/nowhere/);
  });
});

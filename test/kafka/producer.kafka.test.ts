import fc from 'fast-check';
import { execa } from '../../src/core/exec.ts';
import { test, expect, describe } from 'vitest';
import { lastHeader } from '../../src/core/headers.ts';
import { FencedError, RecordTooLargeError, RefusedError } from '../../src/kafka/failures.ts';
import { partitionForKey } from '../../src/kafka/partitioner.ts';
import type { Kafka, Producer } from '../../src/kafka/port.ts';
import { newId } from '../../src/core/ids.ts';
import { addPartitions } from '../support/admin.ts';
import { testBrokers } from '../support/brokers.ts';
import { readAll, setTopicConfig, testKafka, testTopic } from '../support/kafka.ts';

const text = (value: Buffer | null): string | null => value?.toString() ?? null;

describe('a producer', () => {
  test('returns the place of each record, and chooses partitions as the Java client does', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 4);
    const producer = await kafka.producer();
    const keys = ['btd.party', 'nyc.flights', 'db.t', 'btd.party'];
    const places = await producer.send(
      keys.map((key, index) => ({ topic, key, value: `v${index}`, headers: { n: String(index) } })),
    );
    expect(places.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionForKey(key, 4)));
    const records = await readAll(kafka, topic);
    for (const [index, { partition, offset }] of places.entries()) {
      const record = records.find((one) => one.partition === partition && one.offset === offset);
      expect([text(record!.key), text(record!.value), text(lastHeader(record!.headers, 'n')!)]).toEqual([
        keys[index],
        `v${index}`,
        String(index),
      ]);
    }
  });

  test('writes to partitions that were added since it began, by number and by key', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const [plain, transactional] = [await kafka.producer(), await kafka.transactionalProducer(newId())];
    for (const producer of [plain.send.bind(plain), transactional.write.bind(transactional)])
      await producer([{ topic, key: 'k', value: 'v' }]);
    await addPartitions(await testBrokers(), topic, 7);
    const isThere = async (): Promise<boolean> => (await kafka.topics([topic]))[0]?.partitions.length === 7;
    await expect.poll(isThere).toBe(true);
    expect(await plain.send([{ topic, partition: 6, value: 'v' }])).toMatchObject([{ partition: 6 }]);
    const keys = ['btd.party', 'nyc.flights', 'db.t'];
    const places = await transactional.write(keys.map((key) => ({ topic, key, value: 'v' })));
    expect(places.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionForKey(key, 7)));
    expect(await readAll(kafka, topic)).toHaveLength(6);
  });

  test('with a wrong clock gets an error that names the clock', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 1, { 'message.timestamp.before.max.ms': '60000' });
    const producer = await kafka.producer();
    const sending = producer.send([{ topic, key: 'k', value: 'v', timestamp: 1_493_394_946_000 }]);
    const error = await sending.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('refuses the time of a record') as unknown,
      why: expect.stringContaining("this machine's clock says 20") as unknown,
    });
  });

  test('keeps every byte, null keys, tombstones and given timestamps', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producer = await kafka.producer();
    const bytes = Buffer.from([0, 0xff, 0xfe, 10, 13]);
    await producer.send([
      { topic, key: null, value: bytes, headers: { ä: bytes }, timestamp: 1_493_394_946_000 },
      { topic, key: bytes, value: null, timestamp: 1_493_394_000_000 },
      { topic, key: '', value: '' },
    ]);
    const records = await readAll(kafka, topic);
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      [null, bytes],
      [bytes, null],
      [Buffer.alloc(0), Buffer.alloc(0)],
    ]);
    expect(records[0]!.headers).toEqual({ ä: bytes });
    expect(records.slice(0, 2).map(({ timestamp }) => timestamp)).toEqual([
      1_493_394_946_000, 1_493_394_000_000,
    ]);
  });

  test('appends very many records in the order of each key; kcat reads them back', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 3);
    const producer = await kafka.producer();
    const filler = 'x'.repeat(120);
    for (let index = 0; index < 60_000; index += 1) {
      const full = producer.append({
        topic,
        key: Buffer.from(`k${index % 7}`),
        value: Buffer.from(`${index} ${filler}`),
      });
      if (full !== undefined) await full;
    }
    await producer.flush();
    const broker = (await testBrokers()).join(',');
    const { stdout } = await execa('kcat', ['-b', broker, '-C', '-t', topic, '-e', '-q', '-f', '%k %s\n']);
    const lines = stdout.split('\n');
    expect(lines).toHaveLength(60_000);
    const lastOf = new Map<string, number>();
    for (const line of lines) {
      const [key = '', index = ''] = line.split(' ');
      expect(Number(index)).toBeGreaterThan(lastOf.get(key) ?? -1);
      lastOf.set(key, Number(index));
    }
  });

  test('writes what kcat reads, to the byte', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producer = await kafka.producer();
    const word = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ minLength: 1, unit: fc.constantFrom('é', 'ключ', '\u{1f600}'), maxLength: 20 }),
    );
    const record = fc.record({
      key: fc.option(word, { nil: null }),
      value: fc.option(fc.oneof({ weight: 20, arbitrary: word }, fc.constant('x'.repeat(200_000))), {
        nil: null,
      }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), word, { maxKeys: 3 }),
      timestamp: fc.integer({ min: 1, max: 1_700_000_000_000 }),
    });
    const records = fc.sample(record, { numRuns: 3_000, seed: 5 });
    await producer.send(records.map((each) => ({ topic, ...each })));
    const broker = (await testBrokers()).join(',');
    const args = ['-b', broker, '-C', '-t', topic, '-e', '-q', '-X', 'check.crcs=true'];
    const { stdout } = await execa('kcat', [...args, '-f', '%o %T %K %k %S %s %h\n'], {
      stripFinalNewline: false,
    });
    const size = (text: string | null): number => (text === null ? -1 : Buffer.byteLength(text));
    const lines = records.map(({ key, value, headers, timestamp }, index) => {
      const named = Object.entries(headers).map(([name, each]) => `${name}=${each}`);
      return `${index} ${timestamp} ${size(key)} ${key ?? ''} ${size(value)} ${value ?? ''} ${named.join(',')}\n`;
    });
    expect(stdout === lines.join('')).toBe(true);
  });

  test('takes further records during a flush, which waits for the earlier ones only', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 2);
    const producer = await kafka.producer();
    const line = Buffer.from('before|some value|after');
    const flushes: Promise<void>[] = [];
    for (let index = 0; index < 100; index += 1) {
      await producer.appendPart({
        topic,
        key: Buffer.from(String(index)),
        bytes: line,
        from: 7,
        to: 17,
        timestamp: 1_493_394_946_000,
      });
      flushes.push(producer.flush());
    }
    await flushes[0];
    expect((await readAll(kafka, topic)).length).toBeGreaterThan(0);
    await Promise.all(flushes);
    const records = await readAll(kafka, topic);
    expect(new Set(records.map(({ key }) => Number(text(key))))).toEqual(new Set(Array(100).keys()));
    expect(records).toHaveLength(100);
    expect(
      records.every(({ value, timestamp }) => `${text(value)} ${timestamp}` === 'some value 1493394946000'),
    ).toBe(true);
  });

  test('names the topic that does not exist, and the partition', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producer = await kafka.producer();
    await expect(producer.send([{ topic: 'nowhere', value: 'x' }])).rejects.toThrow(/has no topic nowhere/);
    await expect(producer.send([{ topic, partition: 7, value: 'x' }])).rejects.toThrow(
      `${topic} has no partition 7`,
    );
  });

  test('names the topic that a record is too large for, and its limit', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 1, { 'max.message.bytes': '1000' });
    const producer = await kafka.producer();
    await expect(producer.send([{ topic, value: 'x'.repeat(2000) }])).rejects.toMatchObject({
      message: `a record is too large for topic ${topic}`,
      why: 'it needs 2070 bytes; max.message.bytes of the topic is 1000',
    });
  });

  test('sends batches that are half full when its memory is used up', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka, 20);
    const producer = await kafka.producer();
    const append = (partition: number, bytes: number) =>
      producer.append({ topic, key: null, value: Buffer.alloc(bytes), partition });
    await append(0, 1);
    await producer.flush();
    // Full batches of 4.25 MB, which are sent when 16 MiB are held: what is left is more than a writer goes on at.
    for (let partition = 0; partition < 5; partition += 1) {
      expect(append(partition, 850_000)).toBeUndefined();
      expect(append(partition, 200_000)).toBeUndefined();
    }
    let full: Promise<void> | undefined;
    for (let partition = 5; full === undefined; partition += 1) full = append(partition, 990_000);
    await full;
    await producer.flush();
    expect(producer.acknowledged).toBe(23);
  });

  test('names the topic for which a request for several topics was refused', async () => {
    const kafka = await testKafka();
    const [fine, strict] = [
      await testTopic(kafka),
      await testTopic(kafka, 1, { 'message.timestamp.before.max.ms': '60000' }),
    ];
    const producer = await kafka.producer();
    const timestamp = 1_493_394_946_000;
    const sending = producer.send([fine, strict].map((topic) => ({ topic, value: 'v', timestamp })));
    await expect(sending).rejects.toThrow(`refuses the time of a record for topic ${strict}`);
  });

  describe('with batches that are larger than the topic takes', () => {
    const COUNT = 20_000;
    const values = Array.from({ length: COUNT }, (_, index) => `${index} `.padEnd(100, 'x'));

    async function appendAll(producer: Producer, topic: string): Promise<void> {
      for (const [index, value] of values.entries()) {
        const full = producer.append({
          topic,
          key: Buffer.from(`k${index % 3}`),
          value: Buffer.from(value),
          headers: { n: Buffer.from(String(index)) },
        });
        if (full !== undefined) await full;
      }
      await producer.flush();
    }

    async function expectAll(kafka: Kafka, topic: string): Promise<void> {
      const records = await readAll(kafka, topic);
      expect(records).toHaveLength(COUNT);
      expect(new Set(records.map(({ value }) => text(value)))).toEqual(new Set(values));
      for (const those of Object.values(Object.groupBy(records, ({ key }) => text(key) ?? ''))) {
        const order = those!.map(({ headers }) => Number(lastHeader(headers, 'n')));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
    }

    test('makes smaller batches if it can read the limit', async () => {
      const kafka = await testKafka();
      const topic = await testTopic(kafka, 2, { 'max.message.bytes': '100000' });
      await appendAll(await kafka.producer(), topic);
      await expectAll(kafka, topic);
    });

    test('splits filled batches when the limit is lowered, and returns the place of each record', async () => {
      const kafka = await testKafka();
      const topic = await testTopic(kafka, 2);
      const producer = await kafka.producer();
      await producer.send(['a', 'b'].map((value) => ({ topic, value, partition: 0 })));
      await setTopicConfig(kafka, topic, { 'max.message.bytes': '5000' });
      const places = await producer.send(
        values.map((value, n) => ({ topic, key: `k${n % 3}`, value, headers: { n: String(n) } })),
      );
      const { partition } = places[0]!;
      const records = await readAll(kafka, topic);
      expect(records).toHaveLength(COUNT + 2);
      const at = new Map(records.map((each) => [`${each.partition}:${each.offset}`, text(each.value)]));
      expect(places.map((each) => at.get(`${each.partition}:${each.offset}`))).toEqual(values);
      // The sequence goes on.
      await producer.send([{ topic, partition, value: 'after' }]);
      expect(producer.acknowledged).toBe(COUNT + 3);
    });

    test('names the one record that is too large, whether it can read the limit or not', async () => {
      const kafka = await testKafka();
      const topic = await testTopic(kafka, 1, { 'max.message.bytes': '5000' });
      const records = Array.from({ length: 300 }, (_, index) => ({
        topic,
        key: String(index),
        value: 'x'.repeat(index === 200 ? 6000 : 100),
      }));
      const known = await kafka.producer();
      const refused = await known.send(records).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(RecordTooLargeError);
      expect(refused).toMatchObject({ index: 200, limit: { bytes: 5000 } });
      expect(await readAll(kafka, topic)).toHaveLength(200);
      expect(known.acknowledged).toBe(200);
      // It was never taken in: the producer goes on.
      await known.send(records.slice(201));
      expect(await readAll(kafka, topic)).toHaveLength(299);

      await setTopicConfig(kafka, topic, { 'max.message.bytes': '100000' });
      const unknown = await kafka.producer();
      await unknown.send(records.slice(0, 2));
      await setTopicConfig(kafka, topic, { 'max.message.bytes': '5000' });
      await expect(unknown.send(records)).rejects.toMatchObject({ index: 200, limit: { bytes: 5000 } });
      // In order, nothing twice, nothing after it.
      const keys = (await readAll(kafka, topic)).slice(301).map(({ key }) => Number(text(key)));
      expect(keys).toEqual(Array.from(keys, (_, index) => index));
      expect(keys.length).toBeLessThanOrEqual(200);
      await expect(unknown.send(records.slice(0, 1))).rejects.toThrow('too large');
    });

    test('splits them within one transaction', async () => {
      const kafka = await testKafka();
      const topic = await testTopic(kafka, 2, { 'max.message.bytes': '100000' });
      const producer = await kafka.transactionalProducer(`tx-${topic}`);
      const records = values.map((value, n) => ({
        topic,
        partition: 0,
        key: `k${n % 3}`,
        value,
        headers: { n: String(n) },
      }));
      await producer.write(records.slice(0, 2));
      await setTopicConfig(kafka, topic, { 'max.message.bytes': '50000' });
      await producer.write(records.slice(2));
      await expectAll(kafka, topic);
      const large = { topic, partition: 1, value: 'x'.repeat(60_000) };
      const refused = producer.write([{ topic, partition: 1, value: 'not alone' }, large]);
      await expect(refused).rejects.toMatchObject({ index: 1 });
      await (
        await kafka.transactionalProducer(`tx-${topic}`)
      ).write([{ topic, partition: 1, value: 'next' }]);
      expect(
        (await readAll(kafka, topic))
          .filter(({ partition }) => partition === 1)
          .map(({ value }) => text(value)),
      ).toEqual(['next']);
    });
  });
});

describe('a transaction', () => {
  test('is read whole by readers of committed records', async () => {
    const kafka = await testKafka();
    const [one, other] = [await testTopic(kafka, 2), await testTopic(kafka)];
    const producer = await kafka.transactionalProducer(`tx-${one}`);
    for (let index = 0; index < 20; index += 1) {
      await producer.write([
        { topic: one, partition: index % 2, key: 'k', value: `a${index}` },
        { topic: other, key: 'k', value: `b${index}` },
      ]);
    }
    expect((await readAll(kafka, one)).map(({ value }) => text(value)).sort()).toEqual(
      Array.from({ length: 20 }, (_, index) => `a${index}`).sort(),
    );
    expect((await readAll(kafka, other)).map(({ value }) => text(value))).toEqual(
      Array.from({ length: 20 }, (_, index) => `b${index}`),
    );
  });

  test('of a producer whose id was taken over is refused', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const first = await kafka.transactionalProducer(`tx-${topic}`);
    await first.write([{ topic, value: 'of the first' }]);
    const second = await kafka.transactionalProducer(`tx-${topic}`);
    await expect(first.write([{ topic, value: 'too late' }])).rejects.toThrow(FencedError);
    await second.write([{ topic, value: 'of the second' }]);
    expect((await readAll(kafka, topic)).map(({ value }) => text(value))).toEqual([
      'of the first',
      'of the second',
    ]);
  });
});

test('a producer that is fenced in the middle of a transaction gets FencedError only', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka, 4);
  const written: string[] = [];
  const takeTurns = async (own: Kafka, name: string): Promise<void> => {
    for (let turn = 0; turn < 40; turn += 1) {
      const producer = await own.transactionalProducer(`tx-${topic}`);
      const value = `${name}${turn}`;
      const records = [0, 1, 2, 3].map((partition) => ({ topic, partition, value }));
      await producer.write(records).then(
        () => written.push(value),
        (error: unknown) => expect(error).toBeInstanceOf(FencedError),
      );
    }
  };
  await Promise.all([takeTurns(kafka, 'a'), takeTurns(await testKafka(), 'b')]);
  const read = (await readAll(kafka, topic)).map(({ value }) => text(value));
  expect(read.sort()).toEqual(written.flatMap((value) => Array<string>(4).fill(value)).sort());
});

test('the reader reads what the batch encoder writes, for any records', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  const producer = await kafka.producer();
  const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
  const record = fc.record({
    key: bytes,
    value: bytes,
    headers: fc.dictionary(fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 40 }), { maxKeys: 4 }),
    timestamp: fc.integer({ min: 0, max: 1_700_000_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (records) => {
      const buffer = (value: Uint8Array | null): Buffer | null =>
        value === null ? null : Buffer.from(value);
      const sent = records.map(({ key, value, headers, timestamp }) => ({
        key: buffer(key),
        value: buffer(value),
        headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, Buffer.from(each)])),
        timestamp,
      }));
      const places = await producer.send(sent.map((each) => ({ topic, ...each })));
      const all = await readAll(kafka, topic);
      const read = places.map(({ offset }) => all.find((each) => each.offset === offset));
      expect(
        read.map(
          (each) =>
            each && {
              key: each.key,
              value: each.value,
              headers: { ...each.headers },
              timestamp: each.timestamp,
            },
        ),
      ).toEqual(sent);
    }),
    { numRuns: 15 },
  );
});

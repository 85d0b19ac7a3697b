import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadLetter } from '../../src/client/host/inputs.ts';
import { isList } from '../../src/core/headers.ts';
import type { KafkaRecord, OutgoingRecord } from '../../src/kafka/port.ts';
import { sentBack, readLetter, replayedLetter } from '../../src/replay/letter.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const records: fc.Arbitrary<KafkaRecord> = fc.record({
  topic: fc.constant('events'),
  partition: fc.nat(50),
  offset: fc.bigInt(0n, 2n ** 60n),
  timestamp: fc.nat(),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(
    fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((name) => !/^(dlq\.|replay\.)|^__proto__$/.test(name)),
    fc.oneof(fc.option(bytes), fc.array(fc.option(bytes), { minLength: 2, maxLength: 3 })),
  ),
});

/** As the broker hands out what was sent to it. */
function stored({ headers = {}, value, key, topic }: OutgoingRecord, offset: bigint): KafkaRecord {
  const asBuffer = (item: Buffer | string): Buffer => Buffer.from(item as string);
  const orNull = (item: Buffer | string | null): Buffer | null => (item === null ? null : asBuffer(item));
  return {
    topic,
    partition: 0,
    offset,
    timestamp: 1000,
    key: key === null || key === undefined ? null : asBuffer(key),
    value: value === null ? null : asBuffer(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, item]) => [name, isList(item) ? item.map(orNull) : orNull(item)]),
    ),
  };
}

const rejected = (record: KafkaRecord, offset = 7n): KafkaRecord =>
  stored(deadLetter(record, { reason: 'is not JSON' }, 'etl'), offset);

test('rejected and sent back, a message is what it was, where it was; and it knows which dead letter it is', () => {
  fc.assert(
    fc.property(records, (record) => {
      const letter = readLetter(rejected(record), 'events');
      const { headers = {}, ...back } = sentBack(letter, 5000);
      const { 'replay.count': count, 'replay.of': of, ...own } = headers;
      expect(back).toEqual({
        topic: 'events',
        partition: record.partition,
        key: record.key,
        value: record.value,
        timestamp: 5000,
      });
      expect(own).toEqual(record.headers);
      expect({ count, of }).toEqual({ count: '1', of: 'events.dlq/0/7' });
    }),
  );
});

const plain: KafkaRecord = {
  topic: 'events',
  partition: 3,
  offset: 12n,
  timestamp: 900,
  key: null,
  value: Buffer.from('{"db":'),
  headers: { traceparent: Buffer.from('00-…') },
};

test('what a report says of it', () => {
  const { letter } = readLetter(
    stored(deadLetter(plain, { reason: 'must be text', key: 'table' }, 'etl'), 7n),
    'events',
  );
  expect(letter).toEqual({
    status: 'ready',
    topic: 'events.dlq',
    partition: 0,
    offset: '7',
    rejected_at: '1970-01-01T00:00:01.000Z',
    reason: 'must be text',
    field: 'table',
    hippo: 'etl',
    to: { topic: 'events', partition: 3 },
    replays: 0,
    excerpt: '{"db":',
  });
});

test('a message that was sent back names the topic of its letter by its id, too', () => {
  const record = rejected({ ...plain, topicId: 'id-of-events' });
  expect(record.headers['dlq.topic_id']).toEqual(Buffer.from('id-of-events'));
  const letter = readLetter({ ...record, topicId: 'id-of-letters' }, 'events');
  const { headers = {} } = sentBack(letter, 5000);
  expect(Object.keys(headers).filter((name) => name.startsWith('dlq.'))).toEqual([]);
  const back = stored({ topic: 'events', headers, value: 'x' }, 8n);
  expect(replayedLetter(back)).toEqual({
    topic: 'events.dlq',
    topicId: 'id-of-letters',
    partition: 0,
    offset: '7',
  });
});

test('each time that it comes back it has been sent back once more', () => {
  let record = plain;
  for (const [offset, count] of [[7n, 1] as const, [8n, 2] as const, [9n, 3] as const]) {
    const letter = readLetter(rejected(record, offset), 'events');
    expect(letter.letter.replays).toBe(count - 1);
    record = { ...stored(sentBack(letter, 5000), 99n), partition: 3 };
    expect(replayedLetter(record)).toEqual({ topic: 'events.dlq', partition: 0, offset: String(offset) });
  }
});

test('its time is never before its rejection, whatever this clock says', () => {
  expect(sentBack(readLetter(rejected(plain), 'events'), 10).timestamp).toBe(1000);
});

describe('what no hippo has put there is not sent anywhere', () => {
  test.each([
    { what: 'without our headers', headers: {} },
    { what: 'another topic', headers: { 'dlq.topic': 'hippo-state', 'dlq.partition': '0' } },
    { what: 'no partition', headers: { 'dlq.topic': 'events', 'dlq.partition': '-1' } },
  ])('$what', ({ headers }) => {
    const record = stored({ topic: 'events.dlq', value: '{}', headers }, 1n);
    expect(readLetter(record, 'events').letter.status).toBe('foreign');
  });

  test('a count that is none counts for nothing', () => {
    const record = { ...plain, headers: { 'replay.count': Buffer.from('-3') } };
    expect(readLetter(rejected(record), 'events').letter.replays).toBe(0);
  });
});

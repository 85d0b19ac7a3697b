import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadLetter } from '../../src/client/host/inputs.ts';
import { isList } from '../../src/core/headers.ts';
import { RecordSet } from '../../src/core/record-ref.ts';
import type { KafkaRecord, OutgoingRecord } from '../../src/kafka/port.ts';
import { onePerRecord, readLetter, replayedFrom, sentBack, wasSent } from '../../src/replay/letter.ts';

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
      const { 'replay.count': count, 'replay.of': of, 'replay.record': origin, ...own } = headers;
      expect(back).toEqual({
        topic: 'events',
        partition: record.partition,
        key: record.key,
        value: record.value,
        timestamp: 5000,
      });
      expect(own).toEqual(record.headers);
      expect({ count, of, origin }).toEqual({
        count: '1',
        of: 'events.dlq/0/7',
        origin: `events/${record.partition}/${record.offset}`,
      });
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
    hippos: ['etl'],
    to: { topic: 'events', partition: 3 },
    replays: 0,
    excerpt: '{"db":',
  });
});

test('a message that was sent back has the ids of both topics: of its letter and of the rejected record', () => {
  const record = rejected({ ...plain, topicId: 'id-of-events' });
  expect(record.headers['dlq.topic_id']).toEqual(Buffer.from('id-of-events'));
  const letter = readLetter({ ...record, topicId: 'id-of-letters' }, 'events');
  const { headers = {} } = sentBack(letter, 5000);
  expect(Object.keys(headers).filter((name) => name.startsWith('dlq.'))).toEqual([]);
  const back = stored({ topic: 'events', headers, value: 'x' }, 8n);
  expect(replayedFrom(back)).toEqual({
    letter: { topic: 'events.dlq', topicId: 'id-of-letters', partition: 0, offset: '7' },
    origin: { topic: 'events', topicId: 'id-of-events', partition: 3, offset: '12' },
  });
});

test('each time that it comes back it has been sent back once more', () => {
  let record = plain;
  for (const [offset, count] of [[7n, 1] as const, [8n, 2] as const, [9n, 3] as const]) {
    const letter = readLetter(rejected(record, offset), 'events');
    expect(letter.letter.replays).toBe(count - 1);
    record = { ...stored(sentBack(letter, 5000), 99n), partition: 3 };
    expect(replayedFrom(record).letter).toEqual({
      topic: 'events.dlq',
      partition: 0,
      offset: String(offset),
    });
  }
});

describe('a record that several hippos have rejected', () => {
  const by = (hippo: string, offset: bigint, record = plain) =>
    readLetter(stored(deadLetter(record, { reason: 'is not JSON' }, hippo), offset), 'events');
  const withId = (topicId: string) => ({ ...plain, topicId });
  /** What a replay of these letters leaves behind, as `headersKept` of it. */
  const sentBy = (letters: ReturnType<typeof by>[], headersKept = /./) => {
    const sent = { letters: new RecordSet(), origins: new RecordSet() };
    for (const each of letters) {
      const { headers = {}, ...message } = sentBack(each, 5000);
      const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => headersKept.test(name)));
      const { letter, origin } = replayedFrom(stored({ ...message, headers: kept }, 99n));
      if (letter !== undefined) sent.letters.add(letter);
      if (origin !== undefined) sent.origins.add(origin);
    }
    return sent;
  };

  test.each([
    {
      what: 'the same record',
      letters: [by('a', 1n), by('b', 2n), by('c', 3n)],
      one: [['1', ['a', 'b', 'c']]],
    },
    {
      what: 'two letters of one hippo, whose first transaction was not known to have ended',
      letters: [by('a', 1n), by('a', 2n)],
      one: [['1', ['a']]],
    },
    {
      what: 'another offset',
      letters: [by('a', 1n), by('b', 2n, { ...plain, offset: 13n })],
      one: [
        ['1', ['a']],
        ['2', ['b']],
      ],
    },
    {
      what: 'another partition',
      letters: [by('a', 1n), by('b', 2n, { ...plain, partition: 4 })],
      one: [
        ['1', ['a']],
        ['2', ['b']],
      ],
    },
    {
      what: 'another topic of the name, by its id',
      letters: [by('a', 1n, withId('x')), by('b', 2n, withId('y')), by('c', 3n, withId('y'))],
      one: [
        ['1', ['a']],
        ['2', ['b', 'c']],
      ],
    },
    {
      what: 'another topic of the name, by the time, when its id is not known',
      letters: [by('a', 1n), by('b', 2n, { ...plain, timestamp: 901 })],
      one: [
        ['1', ['a']],
        ['2', ['b']],
      ],
    },
    {
      what: 'a topic whose id only one of them knows',
      letters: [by('a', 1n), by('b', 2n, withId('x'))],
      one: [['1', ['a', 'b']]],
    },
  ])('is listed once by its coordinates: $what', ({ letters, one }) => {
    expect(onePerRecord(letters).map(({ letter }) => [letter.offset, letter.hippos])).toEqual(one);
  });

  test('was sent back when the letter of any of them was, now or by an earlier version of hippo', () => {
    const [both, other] = onePerRecord([by('a', 1n), by('b', 2n), by('b', 3n, { ...plain, offset: 13n })]);
    if (both === undefined || other === undefined) throw new Error('not two records');
    const now = sentBy([by('a', 1n)]);
    const before = sentBy([by('b', 2n)], /^replay\.(of|count)/);
    expect(before.origins.has({ topic: 'events', partition: 3, offset: '12' })).toBe(false);
    for (const sent of [now, before]) {
      expect([both, other].map((each) => wasSent(each, sent))).toEqual([true, false]);
    }
    expect(wasSent(by('b', 4n), now)).toBe(true);
  });
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

import { describe, expect, it } from 'vitest';
import { batchSize } from '../../../src/kafka/record-size.ts';
import { deadLetter, readInput } from '../../../src/client/host/inputs.ts';
import type { KafkaRecord } from '../../../src/kafka/port.ts';

const EVENT = { db: 'btd', table: 'party', partition: [{ name: '', value: '' }], exec_date: '1493394946' };
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function record(parts: Partial<KafkaRecord> = {}): KafkaRecord {
  const value = Buffer.from(JSON.stringify(EVENT));
  return {
    topic: 'frontier-adw',
    partition: 2,
    offset: 9_007_199_254_740_993n,
    timestamp: 1_493_394_946_000,
    key: Buffer.from('btd.party'),
    value,
    headers: {},
    ...parts,
  };
}

const texts = (headers: object | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));

describe('reading a record', () => {
  it('gives the message and where it came from', () => {
    const input = readInput('frontier', record({ headers: { traceparent: Buffer.from(TRACEPARENT) } }));
    expect(input).toMatchObject({
      ok: true,
      from: {
        topic: 'frontier-adw',
        partition: 2,
        offset: '9007199254740993',
        traceparent: TRACEPARENT,
      },
      message: { kind: 'frontier', db: 'btd', table: 'party' },
    });
  });

  it.each(['', 'x'.repeat(900_000), TRACEPARENT.toUpperCase(), `${TRACEPARENT}\n`])(
    'passes over a traceparent that is none',
    (traceparent) => {
      const input = readInput('frontier', record({ headers: { traceparent: Buffer.from(traceparent) } }));
      expect(input.ok && input.from).toEqual({
        topic: 'frontier-adw',
        partition: 2,
        offset: '9007199254740993',
      });
    },
  );

  it('rejects a record without a value', () => {
    expect(readInput('schedule', record({ value: null }))).toEqual({
      ok: false,
      rejection: { reason: 'the record has no value' },
    });
  });
});

describe('a dead letter', () => {
  const OURS = {
    'dlq.reason': 'is not JSON',
    'dlq.topic': 'frontier-adw',
    'dlq.partition': '2',
    'dlq.offset': '9007199254740993',
    'dlq.timestamp': '1493394946000',
    'dlq.hippo': 'load',
  };

  it('has the bytes as they were, why they were rejected and where they come from', () => {
    const [key, value] = [Buffer.from([0xff, 0]), Buffer.from([0, 0xfe, 0x7b])];
    const letter = deadLetter(
      record({ key, value, headers: { a: value } }),
      { reason: 'is not JSON' },
      'load',
    );
    expect(letter).toMatchObject({ topic: 'frontier-adw.dlq', key, value, headers: { a: value } });
    expect(texts(letter.headers)).toEqual({ ...OURS, a: value.toString() });
  });

  it('names the field, and replaces what an earlier rejection said', () => {
    const headers = { 'dlq.reason': Buffer.from('older'), 'dlq.offset': Buffer.from('1') };
    const letter = deadLetter(record({ headers }), { reason: 'is not JSON', key: 'db' }, 'load');
    expect(texts(letter.headers)).toEqual({ ...OURS, 'dlq.key': 'db' });
  });

  it.each<[string, Partial<KafkaRecord>, { key: number; value: number | null; size: number }]>([
    ['value', { value: Buffer.alloc(1_048_000, 'v') }, { key: 9, value: 65_536, size: 1_048_009 }],
    [
      'key',
      { key: Buffer.alloc(1_040_001), value: Buffer.alloc(10) },
      { key: 65_536, value: 10, size: 1_040_011 },
    ],
    [
      'key of a tombstone',
      { key: Buffer.alloc(1_040_001), value: null },
      { key: 65_536, value: null, size: 1_040_001 },
    ],
  ])(
    'is cut where the %s is too large to be written again, and says so',
    (_, parts, { key, value, size }) => {
      const letter = deadLetter(record(parts), { reason: 'is not JSON' }, 'load');
      expect([letter.key?.length, letter.value?.length ?? null]).toEqual([key, value]);
      expect(texts(letter.headers)).toEqual({ ...OURS, 'dlq.truncated': String(size) });
    },
  );

  it('keeps of too many headers those that fit, whole', () => {
    const headers = {
      small: Buffer.alloc(10),
      huge: Buffer.alloc(1_048_000),
      late: Buffer.alloc(10),
    };
    const { headers: kept, value } = deadLetter(record({ headers }), { reason: 'is not JSON' }, 'load');
    const foreign = Object.keys(kept ?? {}).filter((name) => !name.startsWith('dlq.'));
    expect(foreign).toEqual(['small', 'late']);
    expect(value).toEqual(record().value);
  });

  it.each([500, 700, 1_000, 20_000])('is cut to the %i bytes that its topic takes', (limit) => {
    const headers = { a: Buffer.alloc(9_000), b: Buffer.alloc(10) };
    const large = record({ key: Buffer.alloc(50_000), value: Buffer.alloc(500_000), headers });
    const reason = `is not JSON: ${'x'.repeat(180)}`;
    const letter = deadLetter(large, { reason }, 'load', limit);
    expect(batchSize(letter)).toBeLessThanOrEqual(limit);
    expect(texts(letter.headers)).toMatchObject({
      'dlq.truncated': '559012',
      'dlq.offset': OURS['dlq.offset'],
    });
    expect(String(letter.headers?.['dlq.reason'])).toContain('is not JSON');
  });

  it('of a million bytes is whole', () => {
    const value = Buffer.alloc(1_000_000 - 9, 'v');
    const letter = deadLetter(record({ value }), { reason: 'is not JSON' }, 'load');
    expect(letter.value?.length).toBe(value.length);
    expect(letter.headers).not.toHaveProperty(['dlq.truncated']);
  });
});

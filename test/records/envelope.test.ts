import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printEnvelope, readLine, readRecord } from '../../src/records/envelope.ts';
import { anyText, printed, record } from './record.ts';

const envelope = (over: Parameters<typeof record>[0]): string => {
  const line = printed(printEnvelope, record(over)).toString();
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return line.slice(0, -1);
};

describe('the envelope of a record (hippo tail --json)', () => {
  it('is one line of JSON, and its offset is text because it has 64 bits', () => {
    const line = envelope({
      offset: 9_007_199_254_740_993n,
      key: 'btd.party',
      headers: { traceparent: '00-ab', 'dlq.reason': 'no "db"' },
    });
    expect(line).toBe(
      '{"topic":"frontier-adw","partition":3,"offset":"9007199254740993","timestamp":1493394946000,' +
        '"key":"btd.party","headers":{"traceparent":"00-ab","dlq.reason":"no \\"db\\""},"value":"{\\"table\\":\\"party\\"}"}',
    );
  });

  it('has bytes that are not UTF-8 as base64, and a missing key or value as null', () => {
    const line = envelope({ value: Buffer.from([0xff, 0x00]), headers: { h: Buffer.from([0x80]) } });
    expect(JSON.parse(line)).toMatchObject({
      key: null,
      value: { base64: '/wA=' },
      headers: { h: { base64: 'gA==' } },
    });
  });

  it('has the timestamp -1 if the record has none', () => {
    expect(envelope({ timestamp: -1 })).toContain('"timestamp":-1,');
  });

  it('keeps every byte of a record', () => {
    const bytes = fc.oneof(
      fc.uint8Array().map((array) => Buffer.from(array)),
      anyText.map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(
        fc.option(bytes),
        fc.option(bytes),
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          fc.oneof(fc.option(bytes), fc.array(fc.option(bytes), { minLength: 2, maxLength: 3 })),
        ),
        (key, value, headers) => {
          const read = readLine(Buffer.from(envelope({ key, value, headers })));
          // As text: comparing hundreds of Buffers takes seconds.
          expect(JSON.stringify(read)).toBe(
            JSON.stringify({
              ok: true,
              input: { kind: 'envelope', topic: 'frontier-adw', key, value, headers },
            }),
          );
        },
      ),
    );
  });
});

describe('a line of input', () => {
  it.each([
    '{"table":"party","db":"btd"}',
    'no JSON',
    '',
    '{"topic":"t","offset":1}',
    '{"offset":1,"value":2}',
    '{"offset":"value"',
  ])('that is no envelope is a value as it stands: %j', (line) => {
    expect(readLine(Buffer.from(line))).toEqual({
      ok: true,
      input: { kind: 'value', value: Buffer.from(line) },
    });
  });

  it.each([
    ['"key":3,"value":null', '"key" must be text, null or {"base64":"…"}; it is 3'],
    ['"key":null,"value":{"a":1}', '"value" must be text, null or {"base64":"…"}; it is {"a":1}'],
    [
      '"key":null,"value":{"base64":"?"}',
      '"value" must be text, null or {"base64":"…"}; it is {"base64":"?"}',
    ],
    [
      '"key":null,"value":"x","headers":{"h":1}',
      'header "h" must be text, null, {"base64":"…"}, or a list of them; it is 1',
    ],
    [
      '"key":null,"value":"x","headers":{"h":["a",{"base64":"?"}]}',
      'header "h" must be text, null, {"base64":"…"}, or a list of them; it is ["a",{"base64":"?"}]',
    ],
  ])('that is an envelope with a wrong field is refused: %s', (fields, reason) => {
    expect(readLine(Buffer.from(`{"topic":"t","partition":0,"offset":"1",${fields}}`))).toEqual({
      ok: false,
      reason,
    });
  });
});

describe('a line that must be an envelope', () => {
  const line = (fields: string): string => `{"topic":"t","partition":0,${fields}}`;
  const read = (text: string | Buffer): ReturnType<typeof readRecord> => readRecord(Buffer.from(text));

  it.each([
    [
      line('"offset":"1","timestamp":"2019-07-07T00:00:00Z","value":null'),
      '"timestamp" must be epoch milliseconds (a number); it is "2019-07-07T00:00:00Z"',
    ],
    [
      line('"offset":"1","timestamp":null,"value":null'),
      '"timestamp" must be epoch milliseconds (a number); it is null',
    ],
    [line('"offset":"1","value":null'), '"timestamp" must be epoch milliseconds (a number); it is missing'],
    [
      line('"offset":"1","timestamp":1.5,"value":null'),
      '"timestamp" must be epoch milliseconds (a number); it is 1.5',
    ],
    [
      line('"offset":"1","timestamp":9223372036854775808,"value":null'),
      '"timestamp" must be epoch milliseconds (a number); it is 9223372036854775808',
    ],
    [line('"offset":"x","timestamp":1,"value":null'), '"offset" must be a whole number as text; it is "x"'],
    ['{"db":"a","table":"b"}', '"topic" must be text; it is missing'],
    ['{"topic":"t","partition":"0"}', '"partition" must be a whole number; it is "0"'],
    [line('"offset":1,"ts":"now","payload":null'), '"ts" must be epoch milliseconds (a number); it is "now"'],
    [line('"offset":1,"key":{"id":1},"payload":"x"'), '"key" must be text or null; it is {"id":1}'],
    ['no JSON', 'it must be a JSON object, as hippo tail --json or kcat -J prints it'],
  ])('names the field that is wrong: %s', (text, reason) => {
    expect(read(text)).toEqual({ ok: false, reason });
  });

  it('may have any timestamp that Kafka can store', () => {
    for (const timestamp of [-1, 1_493_394_946_123_456_768]) {
      const printedLine = envelope({ timestamp });
      expect(read(printedLine)).toMatchObject({ ok: true, record: { timestamp } });
    }
  });

  it('may be a line of kcat -J', () => {
    const text =
      '{"topic":"t","partition":2,"offset":9007199254740993,"tstype":"create","ts":1493394946000,"broker":1,' +
      '"headers":["a","1","b",null,"a","2"],"key":"k","payload":"{\\"id\\":1.10}\\u0000"}';
    const content = {
      key: Buffer.from('k'),
      value: Buffer.from('{"id":1.10}\0'),
      headers: { a: [Buffer.from('1'), Buffer.from('2')], b: null },
    };
    expect(read(text)).toEqual({
      ok: true,
      record: {
        topic: 't',
        partition: 2,
        offset: 9_007_199_254_740_993n,
        timestamp: 1_493_394_946_000,
        ...content,
      },
    });
    expect(readLine(Buffer.from(text))).toEqual({
      ok: true,
      input: { kind: 'envelope', topic: 't', ...content },
    });
  });

  it('of kcat -J keeps its bytes, UTF-8 or not, and has no timestamp if kcat wrote none', () => {
    for (const payload of [Buffer.from('名前'), Buffer.from([0xff, 0xc3, 0x28, 0x80])]) {
      const text = Buffer.concat([
        Buffer.from('{"topic":"t","partition":0,"offset":1,"broker":1,"key":null,"payload":"'),
        payload,
        Buffer.from('"}'),
      ]);
      expect(readRecord(text)).toMatchObject({
        ok: true,
        record: { timestamp: -1, key: null, value: payload },
      });
    }
  });
});

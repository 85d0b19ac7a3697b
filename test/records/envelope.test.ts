import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printEnvelope, readLine } from '../../src/records/envelope.ts';
import { anyText, printed, record } from './record.ts';

const envelope = (over: Parameters<typeof record>[0]): string => {
  const line = printed(printEnvelope, record(over)).toString();
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return line.slice(0, -1);
};

describe('the envelope', () => {
  it('is one line of JSON with an offset of 64 bit', () => {
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

  it('carries bytes that are not UTF-8 as base64, and nothing as null', () => {
    const line = envelope({ value: Buffer.from([0xff, 0x00]), headers: { h: Buffer.from([0x80]) } });
    expect(JSON.parse(line)).toMatchObject({
      key: null,
      value: { base64: '/wA=' },
      headers: { h: { base64: 'gA==' } },
    });
  });

  it('has a timestamp of -1 where the broker has none', () => {
    expect(envelope({ timestamp: -1 })).toContain('"timestamp":-1,');
  });

  it('gives back every byte', () => {
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
    ['"key":3,"value":null', '"key" must be text, null or {"base64":"…"}'],
    ['"key":null,"value":{"a":1}', '"value" must be text, null or {"base64":"…"}'],
    ['"key":null,"value":{"base64":"?"}', '"value" must be text, null or {"base64":"…"}'],
    [
      '"key":null,"value":"x","headers":{"h":1}',
      'header "h" must be text, null, {"base64":"…"}, or a list of them',
    ],
    [
      '"key":null,"value":"x","headers":{"h":["a",{"base64":"?"}]}',
      'header "h" must be text, null, {"base64":"…"}, or a list of them',
    ],
  ])('that is an envelope with a wrong field is refused: %s', (fields, reason) => {
    expect(readLine(Buffer.from(`{"topic":"t","partition":0,"offset":"1",${fields}}`))).toEqual({
      ok: false,
      reason,
    });
  });
});

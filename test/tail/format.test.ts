import { describe, expect, it } from 'vitest';
import { RAW_FORMAT, compileFormat } from '../../src/tail/format.ts';
import { printed, record } from '../records/record.ts';

const event = record({
  key: 'btd.party',
  value: '{"table":"party","partition":[{"name":"yyyymm","value":"201704"}],"rows":3,"ok":true,"none":null}',
  headers: { traceparent: '00-ab', attempt: '2' },
});

const format = (text: string, of = event): string => printed(compileFormat(text), of).toString();

describe("kcat's tokens", () => {
  it.each([
    ['%t [%p] at %o', 'frontier-adw [3] at 12'],
    ['%k: %s', `btd.party: ${event.value?.toString()}`],
    ['%T', '1493394946000'],
    ['%h', 'traceparent=00-ab,attempt=2'],
    ['%K %S', `9 ${event.value?.length}`],
    ['100%%', '100%'],
  ])('%s', (text, expected) => {
    expect(format(text)).toBe(expected);
  });

  it('writes the length as four bytes', () => {
    expect(printed(compileFormat('%R%s'), record({ value: 'abc' }))).toEqual(Buffer.from('\0\0\0\x03abc'));
    expect(printed(compileFormat('%R'), record({ value: null }))).toEqual(Buffer.from([255, 255, 255, 255]));
  });

  it('prints nothing for what is not there, and -1 for its length', () => {
    expect(format('<%k|%s|%h|%K|%S>', record({ value: null }))).toBe('<|||-1|-1>');
  });

  it('passes bytes through', () => {
    const value = Buffer.from([0x80, 0xff, 0x00]);
    expect(printed(compileFormat(RAW_FORMAT), record({ value }))).toEqual(
      Buffer.from([0x80, 0xff, 0x00, 0x0a]),
    );
  });
});

describe('fields by name', () => {
  it.each([
    ['{topic}[{partition}]@{offset}', 'frontier-adw[3]@12'],
    ['{timestamp} {time}', '1493394946000 2017-04-28T15:55:46.000Z'],
    ['{key}', 'btd.party'],
    ['{value}', event.value?.toString()],
    ['{value.table}', 'party'],
    ['{value.partition.0.value}', '201704'],
    ['{value.partition}', '[{"name":"yyyymm","value":"201704"}]'],
    ['{value.rows} {value.ok}', '3 true'],
    ['<{value.none}|{value.tabel}|{value.table.x}|{value.constructor}>', '<|||>'],
    ['{headers}', '{"traceparent":"00-ab","attempt":"2"}'],
    ['{headers.attempt}<{headers.toString}>', '2<>'],
  ])('%s', (text, expected) => {
    expect(format(text)).toBe(expected);
  });

  it('have the digits of every number as they stand', () => {
    const value = '{"id":9223372036854775807,"price":1.10,"far":[1e400,-0],"x":{"y":9007199254740993}}';
    expect(format('{value.id} {value.price} {value.far.0} {value.x}', record({ value }))).toBe(
      '9223372036854775807 1.10 1e400 {"y":9007199254740993}',
    );
    expect(format('<{value.id.text}|{value.far}>', record({ value }))).toBe('<|[1e400,-0]>');
  });

  it('are empty where the value is not JSON', () => {
    expect(format('<{value.table}>', record({ value: 'no JSON' }))).toBe('<>');
    expect(format('<{value.table}>', record({ value: null }))).toBe('<>');
  });

  it.each([-1, 8.7e15])('have no time where the timestamp is none: %d', (timestamp) => {
    expect(format('<{time}>', record({ timestamp }))).toBe('<>');
  });
});

describe('text', () => {
  it.each([
    [String.raw`a\tb\nc\r\0\\n`, 'a\tb\nc\r\0\\n'],
    [String.raw`\x41\x2f`, 'A/'],
    [String.raw`{"t":"%t"}`, '{"t":"frontier-adw"}'],
    [String.raw`\{topic} {} { topic } \d é€`, String.raw`{topic} {} { topic } \d é€`],
    ['', ''],
  ])('%s', (text, expected) => {
    expect(format(text)).toBe(expected);
  });

  it('may be bytes', () => {
    expect(printed(compileFormat(String.raw`\xff`), event)).toEqual(Buffer.from([0xff]));
  });
});

describe('a mistake', () => {
  it.each([
    ['%z', '--format has no %z'],
    ['100%', '--format has no %'],
    ['{vallue}', '--format has no {vallue}'],
    ['{topic.x}', '--format has no {topic.x}'],
  ])('%s is refused', (text, message) => {
    expect(() => compileFormat(text)).toThrow(message);
  });

  it('is met with what is allowed', () => {
    expect(() => compileFormat('{vallue}')).toThrow(
      expect.objectContaining({
        exitCode: 2,
        why: [
          'Did you mean value?',
          'Tokens: %t %p %o %k %s %T %h %K %S %R, and %% for a percent sign.',
          'Fields: {topic} {partition} {offset} {timestamp} {time} {key} {value} {headers};',
          String.raw`also {value.a.b} and {headers.name}. A brace that is meant is \{.`,
        ].join('\n'),
      }) as Error,
    );
  });
});

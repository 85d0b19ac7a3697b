import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../src/conditions/index.ts';
import { RecordFields } from '../../src/conditions/record.ts';
import { compileFilter } from '../../src/records/filter.ts';
import { nativeValue } from '../../src/records/json-value.ts';
import { jsonText } from '../support/json.ts';
import { record } from './record.ts';

const event = record({
  key: 'btd.party',
  value: JSON.stringify({
    table: 'party',
    db: 'btd',
    partition: [{ name: 'yyyymm', value: '201704' }],
    exec_date: '1493394946',
    rows: 3,
    ok: false,
    none: null,
  }),
  headers: { traceparent: '00-ab' },
});

const keeps = (expression: string, of = event): boolean => compileFilter(expression).keep(of);

describe('a filter expression', () => {
  it.each([
    ['topic == "frontier-adw" && partition == 3 && offset == 12', true],
    ['offset > 100', false],
    ['key == "btd.party"', true],
    ['key.startsWith("btd.")', true],
    ['headers.traceparent == "00-ab" && "traceparent" in headers', true],
    ['"dlq.reason" in headers', false],
    ['timestamp >= timestamp("2017-04-28T00:00:00Z")', true],
    ['timestamp < timestamp("2017-04-28T00:00:00Z")', false],
    ['value.table == "party"', true],
    ['value["table"] == "party"', true],
    ['"party" == value.table', true],
    ['value.table != "party"', false],
    ['value.table == "agreement" || value.db == "btd"', true],
    ['value.table in ["party", "agreement"]', true],
    ['value.table.matches("^par")', true],
    ['value.partition.exists(p, p.name == "yyyymm" && p.value > "201612")', true],
    ['value.partition[0].value == "201704"', true],
    ['value.rows > 2 && value.rows == 3', true],
    ['value.ok == false', true],
    ['!value.ok', true],
    ['value.none == null', true],
    ['has(value.rows)', true],
    ['has(value.tabel)', false],
    ['size(value.partition) == 1', true],
    ['int(value.exec_date) > 1493394945', true],
  ])('%s is %s', (expression, expected) => {
    const filter = compileFilter(expression);
    expect(filter.keep(event)).toBe(expected);
    expect(filter.doubts.unjudged).toEqual({ count: 0, reason: undefined });
  });

  const numbers = record({
    value:
      '{"id":9007199254740993,"max":18446744073709551615,"min":-9223372036854775808,"long":123456789012345678901234567890,' +
      '"near":9223372036854776000,"ns":1493394946123456789,"price":1.10,"whole":50.0,"far":1e400,"list":[9007199254740993,2],"n":5}',
  });
  it.each([
    ['value.id == 9007199254740993', true],
    ['9007199254740993 == value.id', true],
    ['value.id == 9007199254740992', false],
    ['value.id != 9007199254740992', true],
    ['value.id > 9007199254740992', true],
    ['value.id >= 9007199254740994', false],
    ['value.id > 9007199254740992.0', true],
    ['value.id == 9007199254740993u', true],
    ['value.id in [1, 9007199254740993]', true],
    ['value.list == [9007199254740993, 2]', true],
    ['value.list.exists(x, x == 9007199254740993)', true],
    ['value.max == 18446744073709551615u', true],
    ['value.max > 18446744073709551614u', true],
    ['value.min == -9223372036854775808', true],
    ['value.long == 123456789012345678901234567890', true],
    ['value.near == 9223372036854775808', false],
    ['value.near == 9223372036854776000', true],
    ['value.price == 1.1 && value.whole == 50', true],
    ['value.far > 1e300', true],
    ['value.id + 1 == 9007199254740994 && value.n + 1 == 6 && 1 + value.n == 6.0', true],
    ['value.ns / 1000000000.0 > 1493394946.1 && value.ns * 1.0 - 1 > 0', true],
    ['string(value.id) == "9007199254740993"', true],
  ])('%s is %s, exactly', (expression, expected) => {
    const filter = compileFilter(expression);
    expect(filter.keep(numbers)).toBe(expected);
    expect(filter.doubts.unjudged).toEqual({ count: 0, reason: undefined });
  });

  it('compares a tombstone as null, and a value that is not JSON as text', () => {
    expect(keeps('value == null', record({ value: null }))).toBe(true);
    expect(keeps('key == null', record())).toBe(true);
    expect(keeps('value == "plain"', record({ value: 'plain' }))).toBe(true);
  });
});

describe('a field that a record lacks', () => {
  it.each([
    ['a field', 'value.tabel == "party"', event],
    ['a header', 'headers.tracestate == "x"', event],
    ['a value', 'value.table == "party"', record({ value: null })],
  ])('does not match: %s', (_, expression, of) => {
    const filter = compileFilter(expression);
    expect(filter.keep(of)).toBe(false);
    expect(filter.doubts.lacking.count).toBe(1);
  });

  it('does not make a true alternative (||) false', () => {
    expect(keeps('value.tabel == "party" || value.db == "btd"')).toBe(true);
  });
});

describe('a record that the filter cannot judge', () => {
  it.each([
    ['a comparison of text with a number', 'value.table > 3'],
    ['an answer that is neither true nor false', 'value.table'],
  ])('is left out, with a reason: %s', (_, expression) => {
    const filter = compileFilter(expression);
    expect(filter.keep(event)).toBe(false);
    expect(filter.keep(event)).toBe(false);
    expect(filter.doubts.unjudged).toEqual({ count: 2, reason: expect.any(String) as string });
  });
});

describe('a mistake in the filter is explained:', () => {
  it.each([
    ['table == "party"', /Unknown variable: table/, /a field of a JSON value is value\.table\./],
    ['valu.table == "party"', /Unknown variable: valu/, /Did you mean value\?/],
    ['.value.table == "party"', /./, /Fields begin without a dot/],
    ['value.table = "party"', /./, /Equality is ==/],
    ['value.a == 1 and value.b == 2', /./, /And, or, not are &&/],
    ['partition', /is int, not true or false/, undefined],
    ['partition == "3"', /./, undefined],
    ['', /./, undefined],
  ])('%s is refused', (expression, message, why) => {
    let error: unknown;
    try {
      compileFilter(expression);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) as string });
    if (why !== undefined) expect((error as { why: string }).why).toMatch(why);
  });
});

/**
 * Values that do not hold the text that the expression asks for are left out unparsed, which must not change the
 * result.
 */
describe('records that the filter leaves out by their bytes, without parsing them,', () => {
  const judge = (expression: string): ((value: string) => boolean) => {
    const filter = compileFilter(expression);
    // Past the first ones, which are judged in full.
    for (let index = 0; index < 101; index++) filter.keep(record({ value: '{}' }));
    return (value) => filter.keep(record({ value }));
  };

  it('are records that the whole filter leaves out, too', () => {
    const texts = fc.constantFrom('party', 'part', 'a"b', 'a/b', 'é', '', 'false');
    const values = fc.record({ t: fc.oneof(texts, fc.boolean(), fc.integer({ max: 3 })), u: texts });
    fc.assert(
      fc.property(texts, values, fc.boolean(), (text, value, escaped) => {
        const keep = judge(`value.t == ${JSON.stringify(text)} && value.u != "x"`);
        const json = JSON.stringify(value);
        const bytes = escaped
          ? json.replaceAll('p', String.raw`\u0070`).replaceAll('/', String.raw`\/`)
          : json;
        expect(keep(bytes)).toBe(value.t === text);
      }),
    );
  });

  it('can be found by a field that is true or false', () => {
    const failed = judge('value.is_success == false');
    expect(failed('{"is_success":false}')).toBe(true);
    expect(failed('{"is_success":true}')).toBe(false);
    expect(failed('{"is_success":0}')).toBe(false);
  });

  it('are found only by conditions that every kept record fulfils', () => {
    expect(judge('value.t == "a" || value.t == "b"')('{"t":"b"}')).toBe(true);
    expect(judge('!(value.t == "a")')('{"t":"b"}')).toBe(true);
    expect(judge('value.n == 5')('{"n":5.0}')).toBe(true);
    expect(judge('key == null && value.t == "a"')('{"t":"a"}')).toBe(true);
  });
});

/** Of most values only the fields that the expression names are read, which must not change the result. */
it('judges a value by a few of its fields as it does by the whole', () => {
  const expressions = [
    'value.a > "b"',
    'value.a == value.b',
    'has(value.a) && value.b > 3',
    'value["a"] == null || value.b.exists(x, x == 1)',
  ];
  const json = fc.oneof(
    jsonText,
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'constructor', 'c'), jsonText), { maxLength: 4 })
      .map((fields) => `{${fields.map(([name, value]) => `"${name}":${value}`).join()}}`),
  );
  fc.assert(
    fc.property(fc.constantFrom(...expressions), json, (expression, value) => {
      const of = record({ value });
      const filter = compileFilter(expression);
      const compiled = compileCondition(expression);
      if (!compiled.ok) throw new Error(compiled.problem.message);
      const whole = compiled.condition.judge(new RecordFields(of, nativeValue));
      expect(filter.keep(of)).toBe(whole.kind === 'true');
      const { unjudged, lacking } = filter.doubts;
      expect(unjudged.reason ?? lacking.reason).toBe('reason' in whole ? whole.reason : undefined);
    }),
    { numRuns: 1_000 },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldReader } from '../../src/core/json-fields.ts';
import { parseNative } from '../../src/core/json.ts';
import { jsonText } from '../support/json.ts';

const NAMES = ['a', 'b', 'a b', 'constructor'];
const read = fieldReader(NAMES);

const fieldsOf = (text: string): unknown => read?.(Buffer.from(text));

/** What is named `constructor` would be taken for the class of an object. */
const sorted = (fields: unknown): unknown =>
  Object.entries(fields ?? {}).sort(([a], [b]) => a.localeCompare(b));

/** The same by parsing the whole; undefined: it is no object, or no JSON. */
function parsed(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    ({ value } = parseNative(text));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([name]) => NAMES.includes(name)));
}

describe('the fields of an object', () => {
  it.each([
    ['{"a":"x","c":[1,{"a":"y"}],"b":{"a":[]}}', { a: 'x', b: { a: [] } }],
    [' { "a" : 1 , "b" : [ ] } \n', { a: 1, b: [] }],
    ['{}', {}],
    ['{"a":1,"a":"2"}', { a: '2' }],
    ['{"a":9007199254740993,"b":1.10}', { a: 9007199254740993n, b: 1.1 }],
    ['{"c":-0.5e+3,"a":true,"b":null}', { a: true, b: null }],
    ['{"é":"é","a":"é"}', { a: 'é' }],
    ['{"__proto__":{"a":1}}', {}],
  ])('%s', (text, fields) => {
    expect(fieldsOf(text)).toStrictEqual(fields);
  });

  it.each([
    ['has an escape', String.raw`{"a":"\u0041"}`],
    ['has an escape in a name', String.raw`{"\u0061":1}`],
    ['has an escape elsewhere', String.raw`{"c":"\n","a":1}`],
    ['is nested deeply', `{"a":1,"c":${'['.repeat(40)}${']'.repeat(40)}}`],
    ['is a list', '[{"a":1}]'],
    ['is a text', '"a"'],
    ['begins with a byte order mark', '\ufeff{"a":1}'],
    ['goes on after its end', '{"a":1} {}'],
    ['is not closed', '{"a":1'],
    ['has a control character', '{"a":"\t"}'],
    ['has a number with a leading zero', '{"c":01}'],
    ['has a number without digits', '{"c":-}'],
    ['has a comma too many', '{"a":1,}'],
    ['has a word', '{"c":nil}'],
  ])('are not given where the value %s', (_, text) => {
    expect(fieldsOf(text)).toBeUndefined();
  });

  it('are not looked for by names that bytes could spell in several ways', () => {
    for (const name of ['é', '\ufffd', '', 'a\0', '__proto__']) expect(fieldReader([name])).toBeUndefined();
  });

  it('are those that the whole value has, for any JSON', () => {
    const name = fc.constantFrom(...NAMES, 'c', '__proto__');
    const blank = fc.constantFrom('', ' ', '\r\n');
    const member = fc.tuple(blank, name, blank, jsonText);
    const object = fc
      .array(member, { maxLength: 5 })
      .map(
        (all) => `{${all.map(([gap, key, other, value]) => `${gap}"${key}"${other}:${gap}${value}`).join()}}`,
      );
    fc.assert(
      fc.property(fc.oneof(object, jsonText), (text) => {
        const found = fieldsOf(text);
        if (found !== undefined) expect(sorted(found)).toStrictEqual(sorted(parsed(text)));
        // Nothing but an escape, or depth, makes it unsure of an object.
        else expect(text.includes('\\') || parsed(text) === undefined).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are not given for what is no JSON', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e',
      '0',
      'true',
      ' ',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (words) => {
        const text = `{"a":${words.join('')}}`;
        const found = fieldsOf(text);
        if (found !== undefined) expect(sorted(found)).toStrictEqual(sorted(parsed(text)));
      }),
      { numRuns: 5_000 },
    );
  });
});

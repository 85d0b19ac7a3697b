import fc from 'fast-check';
import { type Json, parseJson } from '../../src/core/json.ts';

/** A number as JSON may write it. */
export const numberToken: fc.Arbitrary<string> = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.constantFrom('-0', '1.10', '1e400', '-1E-7', '0.0000001', '1e21', '123456789012345678', '50.0'),
  fc.constantFrom('9007199254740991', '9007199254740992', '9007199254740993', '9223372036854775807'),
  fc.constantFrom('9223372036854776000', '0.30000000000000004', '0.1000000000000000055'),
  fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/),
);

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\0', '1.10', ':', '{') }),
);

/**
 * A key of one character that must be written with an escape. JSON.parse of Node 24 takes `\"` for `\\` where an object with
 * the same keys before it was read earlier: `{"a":0,"\\":{}}`, then `{"a":0,"\"":{}}`.
 */
const isMisread = (key: string): boolean => key.length === 1 && JSON.stringify(key).length > 3;

/** JSON without blanks whose objects have no key twice, nor any that JavaScript would put first. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    numberToken,
    text.map((value) => JSON.stringify(value)),
    fc.constantFrom('null', 'true', 'false'),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(fc.oneof(text, fc.constant('__proto__')), tie('value')), {
        maxLength: 4,
        selector: ([key]) => key,
      })
      .map((entries) => entries.filter(([key]) => !/^\d+$/.test(key) && !isMisread(key)))
      .map((entries) => `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${inner}`).join(',')}}`),
  ),
})).value;

/** Any JSON, also with numbers that a JavaScript number cannot hold. */
export const anyJson: fc.Arbitrary<Json> = jsonText.map(parseJson);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JsonNumber,
  isDeeperThan,
  isJsonObject,
  nativeOf,
  numberOf,
  parseJson,
  parseNative,
} from '../../src/core/json.ts';
import { jsonText, numberToken } from '../support/json.ts';

/** By https://tc39.es/proposal-json-parse-with-source/: slow, and simple. */
function parseBySources(text: string): unknown {
  type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
  const revive: Reviver = (_, value, { source }) => {
    if (typeof value !== 'number') return value;
    const isExact = String(value) === source && !(Number.isInteger(value) && !Number.isSafeInteger(value));
    return isExact ? value : new JsonNumber(source);
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

describe('parseJson', () => {
  it.each([
    ['9223372036854775807', 'beyond 2^53'],
    ['9007199254740993', 'the first that a double cannot hold'],
    ['9007199254740992', 'a double that another number has too'],
    ['9223372036854776000', 'the digits that a double of another number shows'],
    ['123456789012345678901234567890', 'longer than 64 bits'],
    ['1493394946123456789', 'nanoseconds'],
    ['1.10', 'a trailing zero'],
    ['50.0', 'a whole number with a fraction'],
    ['1e400', 'larger than a double'],
    ['1E5', 'an exponent'],
    ['1e21', 'an exponent without its sign'],
    ['0.0000001', 'a double that JavaScript writes with an exponent'],
    ['-0', 'the zero below zero'],
    ['-0.0', 'the same, with a fraction'],
    ['0.1000000000000000055', 'more digits than a double has'],
  ])('keeps %s: %s', (token) => {
    for (const text of [token, `[${token}]`, `{"a":{"b":[1,${token}]},"c":"${token}"}`]) {
      expect(JSON.stringify(parseJson(text))).toBe(text);
    }
    expect(parseJson(token)).toStrictEqual(new JsonNumber(token));
  });

  it.each([
    '0',
    '-1',
    '9007199254740991',
    '-9007199254740991',
    '1493394946123456',
    '1.5',
    '-2.25',
    '0.30000000000000004',
    '123456.789012345',
    '1e-7',
    '0.000001',
  ])('gives %s as a JavaScript number', (token) => {
    expect(parseJson(`{"a":${token}}`)).toStrictEqual({ a: Number(token) });
  });

  it('leaves strings alone, whatever is in them', () => {
    const text = String.raw`{"1.10":"1.10","a":"x\"1.10,","b":"\\","c":"${'long '.repeat(9)}\\\"1e9","d":[1.10,""]}`;
    expect(parseJson(text)).toStrictEqual({
      '1.10': '1.10',
      a: 'x"1.10,',
      b: '\\',
      c: `${'long '.repeat(9)}\\"1e9`,
      d: [new JsonNumber('1.10'), ''],
    });
  });

  it('takes no string for a number', () => {
    const text = String.raw`["\u00001.10","\u0000\u0000\u00001.10",1.10]`;
    expect(parseJson(text)).toStrictEqual(['\x001.10', '\0\0\x001.10', new JsonNumber('1.10')]);
  });

  it('takes values at any depth', () => {
    const depth = 100_000;
    const text = `${'['.repeat(depth)}1.10${']'.repeat(depth)}`;
    expect(() => parseJson(text)).not.toThrow();
    expect(isDeeperThan(64, parseJson(text))).toBe(true);
  });

  it.each([
    '{1.10:2}',
    '{1.10 :2}',
    '01.10',
    '1.10.5',
    '+1.10',
    '-',
    '--1.10',
    '1.10"a"',
    '"a"1.10',
    '1.10 1.10',
    '.10',
    '1.',
    '1e',
    '[1.10',
    '"1.10',
    'x1.10',
    '1.10x',
    '[1.10,]',
    '\ufeff1.10',
    '',
  ])('refuses %j, as JSON.parse does and in its words', (text) => {
    let message = '';
    try {
      JSON.parse(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).not.toBe('');
    expect(() => parseJson(text)).toThrow(new SyntaxError(message));
  });

  it('gives back any JSON as it stood', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(JSON.stringify(parseJson(text))).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds the same numbers as JSON.parse with its sources, also with blanks and keys that come twice', () => {
    const blank = fc.constantFrom('', ' ', '\n\t');
    const key = fc.constantFrom('a', 'b', '1.10', '__proto__');
    const spaced = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        jsonText,
        fc.array(tie('value'), { maxLength: 4 }).map((items) => `[ ${items.join(' , ')}]`),
        fc
          .array(fc.tuple(key, blank, tie('value')), { maxLength: 4 })
          .map((all) => `{${all.map(([name, gap, inner]) => `"${name}"${gap}:${gap}${inner}`).join()}}`),
      ),
    })).value;
    fc.assert(
      fc.property(spaced, (text) => {
        expect(parseJson(text)).toStrictEqual(parseBySources(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes what JSON.parse takes, and nothing else', () => {
    const pieces = fc.constantFrom(
      ...[
        '1.10',
        '-',
        '0',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        ' ',
        'e5',
        '"a"',
        '.',
        '\\u0000',
        'true',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (words) => {
        const text = words.join('');
        const parses = (parse: (text: string) => unknown): boolean => {
          try {
            parse(text);
            return true;
          } catch {
            return false;
          }
        };
        expect(parses(parseJson)).toBe(parses(JSON.parse));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('numbers to count with', () => {
  it.each([
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9007199254740992', 9007199254740992n],
    ['5', 5],
    ['5.0', 5],
    ['1.10', 1.1],
    ['1e400', Infinity],
    ['1e22', 1e22],
  ])('%s', (token, number) => {
    expect(nativeOf(parseJson(token))).toBe(number);
    expect(numberOf(parseJson(token))).toBe(Number(number));
    expect(parseNative(`{"a":[${token}]}`).value).toStrictEqual({ a: [number] });
  });

  it('says whether digits are lost by them', () => {
    fc.assert(
      fc.property(numberToken, (token) => {
        expect(parseNative(token).needsDigits).toBe(parseJson(token) instanceof JsonNumber);
      }),
    );
  });

  it('does not work for minutes on a number of a million digits', () => {
    expect(nativeOf(parseJson('9'.repeat(1_000_000)))).toBe(Infinity);
  });

  it.each(['"1"', 'null', '[]', '{}'])('%s is none', (text) => {
    expect(nativeOf(parseJson(text))).toBeUndefined();
  });
});

it('a number is no object', () => {
  expect(isJsonObject(new JsonNumber('1.10'))).toBe(false);
  expect(isDeeperThan(0, new JsonNumber('1.10'))).toBe(false);
  expect(String(new JsonNumber('1.10'))).toBe('1.10');
});

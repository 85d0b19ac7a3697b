import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ids } from '../../src/predict/ids.ts';
import { Pace } from '../../src/predict/pace.ts';

const pace = new Pace(new AbortController().signal);

function bytesOf(text: string | Uint8Array): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text)).buffer;
}

async function parse(text: string | Uint8Array, count: number): Promise<Ids> {
  const ids = await Ids.parse('users.json', bytesOf(text), count, pace);
  await ids.index('users.json', pace);
  return ids;
}

const id = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'é', '日', '🦛', ',', '[', 'a', '\0') }),
);

/** JSON as Python writes it, with escapes for all but ASCII. */
function pythonJson(list: readonly string[]): string {
  return JSON.stringify(list).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

describe('the ids of a list', () => {
  it('have the rows in which they stand, however JSON writes them', async () => {
    const write = fc.constantFrom(
      (list: readonly string[]) => JSON.stringify(list),
      (list: readonly string[]) => JSON.stringify(list, null, 2),
      pythonJson,
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { maxLength: 50 }), write, id, async (list, json, other) => {
        const ids = await parse(json(list), list.length);
        expect(list.map((_, row) => ids.idOf(row))).toEqual(list);
        expect(list.map((each) => ids.rowOf(each))).toEqual(list.map((_, row) => row));
        expect(ids.rowOf(other)).toBe(list.indexOf(other));
        expect(ids.rowOf('\ud800')).toBe(-1);
      }),
    );
  });

  it('may be a hundred thousand', async () => {
    const list = Array.from({ length: 100_000 }, (_, row) => `user-${row}`);
    const ids = await parse(JSON.stringify(list), list.length);
    expect(list.every((each, row) => ids.rowOf(each) === row && ids.idOf(row) === each)).toBe(true);
    expect(ids.rowOf('user-100000')).toBe(-1);
  });

  it.each<[string | Uint8Array, number, string]>([
    ['["a","b"]', 3, 'it has 2 ids, fewer than the manifest'],
    ['["a","b"]', 1, 'it has more than the 1 ids of the manifest'],
    ['["a",2]', 2, 'row 1 is not a list of texts: """ is expected'],
    ['{"a":1}', 1, 'row 0 is not a list of texts: "[" is expected'],
    ['["a" "b"]', 2, 'row 1 is not a list of texts: "," is expected'],
    ['["a', 1, 'row 0 does not end, or has a control character'],
    ['["a\n"]', 1, 'row 0 does not end, or has a control character'],
    ['["a"', 1, 'it ends before row 1'],
    ['', 1, 'it ends before row 0'],
    ['["a"]]', 1, 'something follows its list'],
    [String.raw`["\x"]`, 1, 'row 0 has a wrong escape'],
    [String.raw`["\ud800"]`, 1, 'row 0 has a wrong escape'],
    [Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 1, 'row 0 is not valid UTF-8'],
    ['["a","b","a"]', 3, 'rows 0 and 2 have the same id "a"'],
    ['["a"]', 0, 'it has more than the 0 ids of the manifest'],
  ])('%s is refused', async (text, count, message) => {
    await expect(parse(text, count)).rejects.toThrow(message);
  });
});

/** Pages: whatever the rows and the order are, all pages together are all rows, once, in order. */
import fc from 'fast-check';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Key,
  type Place,
  cursorOf,
  nextPlace,
  pageSql,
  placeValues,
  readCursor,
} from '../../src/query/paging.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const COLUMNS = { n: 'INTEGER', d: 'DOUBLE', t: 'VARCHAR' } as const;
type Name = keyof typeof COLUMNS;
const row = fc.record({
  n: fc.option(fc.integer({ min: 0, max: 2 })),
  d: fc.option(fc.constantFrom('NaN', '-0.1', '1e300', 'Infinity')),
  t: fc.option(fc.constantFrom('', 'a', "b'", 'ü', 'NULL')),
});
const key = fc.record({
  name: fc.constantFrom<Name>('n', 'd', 't'),
  isDescending: fc.boolean(),
  nullsFirst: fc.boolean(),
});

const sqlOf = (rows: readonly { n: number | null; d: string | null; t: string | null }[]): string => {
  const text = (value: string | null): string =>
    value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
  const values = rows.map(
    ({ n, d, t }) => `(${n ?? 'NULL'}::INTEGER, ${text(d)}::DOUBLE, ${text(t)}::VARCHAR)`,
  );
  return `SELECT * FROM (VALUES ${values.join(', ')}) v(n, d, t)`;
};

it('all pages together are all rows, once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 30 }),
      fc.uniqueArray(key, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
      fc.integer({ min: 1, max: 7 }),
      async (rows, order, size) => {
        const keys: Key[] = order.map((one) => ({ ...one, type: COLUMNS[one.name] }));
        const paging = { sql: sqlOf(rows), keys, columns: Object.keys(COLUMNS) };
        const read = async (place: Place | null, count: number): Promise<string[][]> => {
          const values = Object.fromEntries(place === null ? [] : placeValues(place));
          const result = await connection.runAndReadAll(
            pageSql(paging, { select: 'page', place, rows: count }),
            values,
          );
          return result
            .getRows()
            .map((one) => one.map((value) => (value === null ? null : String(value))) as string[]);
        };
        const all = await read(null, 1_000);
        const paged: string[][] = [];
        for (let place: Place | null = null, goesOn = true; goesOn;) {
          const page = await read(place, size + 1);
          const shown = page.slice(0, size);
          paged.push(...shown);
          goesOn = page.length > size;
          if (goesOn)
            place = nextPlace(
              shown.map((one) => one.slice(paging.columns.length)),
              place,
            );
        }
        expect(paged).toEqual(all);
        expect(all).toHaveLength(rows.length);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

describe('a cursor', () => {
  const place = { keys: ['a', null, '2026-01-01'], skip: 2 };
  const owner = { version: '0123456789abcdef', request: 'r' };

  it('comes back as it was given', () => {
    expect(readCursor(cursorOf(place, owner), 'r')).toEqual({ version: owner.version, place });
  });

  it('belongs to its request', () => {
    expect(readCursor(cursorOf(place, owner), 'other')).toBeNull();
  });

  it('is refused when any character of it is changed', () => {
    const cursor = cursorOf(place, owner);
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom('A', 'z', '.', '!'), (at, character) => {
        fc.pre(cursor[at] !== character);
        const changed = cursor.slice(0, at) + character + cursor.slice(at + 1);
        expect(readCursor(changed, 'r')).toBeNull();
      }),
    );
  });

  it('is refused whatever text it is', () => {
    fc.assert(fc.property(fc.string(), (text) => readCursor(text, 'r') === null));
  });
});

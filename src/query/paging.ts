/** Pages of an answer: the SQL of one page, and the cursor from which the next one goes on. Pure. */
import { createHash } from 'node:crypto';
import { isJsonObject, parseJson } from '../core/json.ts';
import { quoted } from './duck.ts';

/** A column by which the rows of a route are ordered. */
export interface Key {
  name: string;
  /** As DuckDB writes its type: `DECIMAL(18,2)`. */
  type: string;
  isDescending: boolean;
  nullsFirst: boolean;
}

/** Where the next page goes on. */
export interface Place {
  /** The keys of the last row, as texts of DuckDB. */
  keys: readonly (string | null)[];
  /** How many rows with just these keys came already. */
  skip: number;
}

/** What a cursor belongs to: elsewhere it means nothing. */
export interface CursorOwner {
  /** The data version: rows of another one may have moved. */
  version: string;
  /** Of the route's SQL and the request's parameters. */
  request: string;
}

export interface Paging {
  /** A SELECT without ORDER BY. */
  sql: string;
  keys: readonly Key[];
  /** The names of all columns. */
  columns: readonly string[];
}

/** Parameters of this program; those of routes have no upper case letters. */
export const KEY_PARAMETER = 'HIPPO_KEY_';
/** The texts of the keys, after the columns of the answer. */
const KEY_TEXT = 'HIPPO TEXT OF KEY ';

/**
 * The SQL of one page. Its rows are in the order of the keys, and among equal keys in that of all other columns: so equal rows are
 * in the same order each time, and a page goes on after `skip` of them.
 *
 * @param select `page`: columns and the texts of the keys; `keys`: these texts only; `rows`: columns only
 * @param rows at most so many
 */
export function pageSql(
  { sql, keys, columns }: Paging,
  { select, place, rows }: { select: 'page' | 'keys' | 'rows'; place: Place | null; rows: number },
): string {
  const texts = keys.map(
    ({ name }, index) => `CAST(q.${quoted(name)} AS VARCHAR) AS ${quoted(`${KEY_TEXT}${index}`)}`,
  );
  const own = columns.map((name) => `q.${quoted(name)}`);
  const selected = { page: [...own, ...texts], keys: texts, rows: own }[select];
  const where = place === null || keys.length === 0 ? '' : `\nWHERE ${from(keys, place)}`;
  const rest = columns.filter((name) => !keys.some((key) => key.name === name));
  const order = [
    ...keys.map(
      ({ name, isDescending, nullsFirst }) =>
        `q.${quoted(name)} ${isDescending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    ),
    ...rest.map((name) => `q.${quoted(name)}`),
  ];
  const ordered = keys.length === 0 ? '' : `\nORDER BY ${order.join(', ')}`;
  const skip = place === null ? '' : ` OFFSET ${place.skip}`;
  return `SELECT ${selected.join(', ')}\nFROM (${sql}\n) AS q${where}${ordered}\nLIMIT ${rows}${skip}`;
}

/** The rows at the place and after it, those with equal keys too. */
function from(keys: readonly Key[], { keys: values }: Place): string {
  const isNull = (index: number): boolean => (values[index] ?? null) === null;
  const value = (index: number): string => `CAST($${KEY_PARAMETER}${index} AS ${keys[index]?.type ?? ''})`;
  const equal = (index: number): string => {
    const column = `q.${quoted(keys[index]?.name ?? '')}`;
    return isNull(index) ? `${column} IS NULL` : `${column} = ${value(index)}`;
  };
  const after = ({ name, isDescending, nullsFirst }: Key, index: number): string => {
    const column = `q.${quoted(name)}`;
    if (isNull(index)) return nullsFirst ? `${column} IS NOT NULL` : 'false';
    const compared = `${column} ${isDescending ? '<' : '>'} ${value(index)}`;
    return nullsFirst ? compared : `(${compared} OR ${column} IS NULL)`;
  };
  const before = (count: number): string[] => keys.slice(0, count).map((_, index) => equal(index));
  const alternatives = keys.map((key, index) => [...before(index), after(key, index)].join(' AND '));
  return [...alternatives, before(keys.length).join(' AND ')].map((one) => `(${one})`).join(' OR ');
}

/** The values of a place that the page's SQL names, to be bound as texts. */
export function placeValues({ keys }: Place): Map<string, string> {
  return new Map(
    keys.flatMap((value, index) => (value === null ? [] : [[`${KEY_PARAMETER}${index}`, value] as const])),
  );
}

/**
 * Where the page after this one goes on.
 *
 * @param rows the texts of the keys of each row of this page
 */
export function nextPlace(rows: readonly (readonly (string | null)[])[], before: Place | null): Place {
  const last = rows.at(-1) ?? [];
  const isSame = (row: readonly (string | null)[]): boolean =>
    row.every((value, index) => value === last[index]);
  let equal = 0;
  while (equal < rows.length && isSame(rows[rows.length - 1 - equal] ?? [])) equal += 1;
  const goesOn = equal === rows.length && before !== null && isSame(before.keys);
  return { keys: last, skip: goesOn ? before.skip + equal : equal };
}

/** Longer ones are not read. */
const LONGEST_CURSOR = 4_096;

/** A cursor is opaque, and its sum shows that nobody has changed it. */
export function cursorOf({ keys, skip }: Place, owner: CursorOwner): string {
  const content = Buffer.from(JSON.stringify([owner.version, keys, skip])).toString('base64url');
  return `${content}.${sumOf(content, owner)}`;
}

/** @returns null: it is no cursor of this route with these parameters */
export function readCursor(text: string, request: string): { version: string; place: Place } | null {
  const [content = '', sum, ...more] = text.split('.');
  if (text.length > LONGEST_CURSOR || sum === undefined || more.length > 0) return null;
  const read = contentOf(content);
  return read !== null && sumOf(content, { version: read.version, request }) === sum ? read : null;
}

function contentOf(content: string): { version: string; place: Place } | null {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(content, 'base64url').toString());
  } catch {
    return null;
  }
  if (!Array.isArray(value) || isJsonObject(value)) return null;
  const [version, keys, skip] = value as unknown[];
  if (typeof version !== 'string' || !Array.isArray(keys) || !Number.isSafeInteger(skip)) return null;
  if (!keys.every((key) => key === null || typeof key === 'string')) return null;
  return { version, place: { keys, skip: skip as number } };
}

function sumOf(content: string, { version, request }: CursorOwner): string {
  return createHash('sha256').update(`${content}\n${version}\n${request}`).digest('base64url').slice(0, 22);
}

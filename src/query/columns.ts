/** Columns of an answer: their JSON Schema, and their values as JSON and CSV without loss. */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Duck } from './duck.ts';

export interface Column {
  readonly name: string;
  readonly type: DuckDBType;
  readonly schema: Record<string, unknown>;
  /** Whether rows can be ordered by it from page to page: its text says its value without loss. */
  readonly isKey: boolean;
}

/** What a cell of an answer is in JSON. */
export type Cell = null | boolean | number | string | Cell[] | { [key: string]: Cell };

export function columnOf(duck: Duck, name: string, type: DuckDBType): Column {
  return { name, type, schema: { ...schemaOf(duck, type) }, isKey: KEYS.has(duck.DuckDBTypeId[type.typeId]) };
}

/** By the names of DuckDB's types. */
const KEYS: ReadonlySet<string | undefined> = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER'],
  ...['UBIGINT', 'UHUGEINT', 'DECIMAL', 'FLOAT', 'DOUBLE', 'VARCHAR', 'DATE', 'TIME', 'UUID', 'ENUM'],
  ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP_TZ'],
]);

const TEXT = { type: ['string', 'null'] };
const SCHEMAS: Readonly<Record<string, Record<string, unknown>>> = {
  BOOLEAN: { type: ['boolean', 'null'] },
  TINYINT: { type: ['integer', 'null'] },
  SMALLINT: { type: ['integer', 'null'] },
  INTEGER: { type: ['integer', 'null'], format: 'int32' },
  UTINYINT: { type: ['integer', 'null'] },
  USMALLINT: { type: ['integer', 'null'] },
  UINTEGER: { type: ['integer', 'null'] },
  BIGINT: {
    ...TEXT,
    format: 'int64',
    description: 'A whole number of 64 bits, as text: JSON numbers would lose digits',
  },
  FLOAT: {
    type: ['number', 'string', 'null'],
    format: 'float',
    description: 'A number, or NaN, Infinity, -Infinity',
  },
  DOUBLE: {
    type: ['number', 'string', 'null'],
    format: 'double',
    description: 'A number, or NaN, Infinity, -Infinity',
  },
  DATE: { ...TEXT, format: 'date' },
  TIMESTAMP: { ...TEXT, description: 'A time without zone: 2026-01-31T09:30:00' },
  TIMESTAMP_TZ: { ...TEXT, format: 'date-time' },
  BLOB: { ...TEXT, contentEncoding: 'base64' },
  UUID: { ...TEXT, format: 'uuid' },
};

function schemaOf(duck: Duck, type: DuckDBType): Record<string, unknown> {
  if (type instanceof duck.DuckDBListType || type instanceof duck.DuckDBArrayType)
    return { type: ['array', 'null'], items: schemaOf(duck, type.valueType) };
  if (type instanceof duck.DuckDBStructType) {
    const members = type.entryNames.map((name, index) => [
      name,
      schemaOf(duck, type.entryTypes[index] ?? duck.VARCHAR),
    ]);
    return { type: ['object', 'null'], properties: Object.fromEntries(members) as object };
  }
  if (type instanceof duck.DuckDBMapType)
    return {
      type: ['array', 'null'],
      items: {
        type: 'object',
        properties: { key: schemaOf(duck, type.keyType), value: schemaOf(duck, type.valueType) },
      },
    };
  if (type instanceof duck.DuckDBDecimalType)
    return { ...TEXT, description: `A decimal number with ${type.scale} digits after the point, as text` };
  const id = duck.DuckDBTypeId[type.typeId];
  return SCHEMAS[id] ?? TEXT;
}

/** Numbers that JSON cannot hold become texts; so do times, in ISO 8601. */
export function cellOf(duck: Duck, value: DuckDBValue): Cell {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof duck.DuckDBTimestampTZValue)
    return isoOf(new duck.DuckDBTimestampValue(value.micros).toString(), 'Z');
  if (isTimestamp(duck, value)) return isoOf(value.toString(), '');
  if (value instanceof duck.DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof duck.DuckDBListValue || value instanceof duck.DuckDBArrayValue)
    return value.items.map((item) => cellOf(duck, item));
  if (value instanceof duck.DuckDBMapValue)
    return value.entries.map(({ key, value: of }) => ({ key: cellOf(duck, key), value: cellOf(duck, of) }));
  if (value instanceof duck.DuckDBStructValue) {
    const members = Object.entries(value.entries).map(([name, of]) => [name, cellOf(duck, of)]);
    return Object.fromEntries(members) as { [key: string]: Cell };
  }
  return value.toString();
}

function isTimestamp(duck: Duck, value: object): boolean {
  return (
    value instanceof duck.DuckDBTimestampValue ||
    value instanceof duck.DuckDBTimestampSecondsValue ||
    value instanceof duck.DuckDBTimestampMillisecondsValue ||
    value instanceof duck.DuckDBTimestampNanosecondsValue
  );
}

/** Infinity stays `infinity`. */
function isoOf(text: string, zone: string): string {
  return text.includes(' ') ? `${text.replace(' ', 'T')}${zone}` : text;
}

/** One row as the text of a JSON object: its members are in the order of the columns, whatever their names are. */
export function rowWriter(columns: readonly Column[]): (cells: readonly Cell[]) => string {
  const keys = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  return (cells) => `{${keys.map((key, index) => key + JSON.stringify(cells[index] ?? null)).join()}}`;
}

/** RFC 4180. A null is empty, and an empty text is `""`. */
export function csvOf(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const lines = [columns.map(({ name }) => field(name)), ...rows.map((cells) => cells.map(field))];
  return lines.map((line) => `${line.join()}\r\n`).join('');
}

function field(cell: Cell): string {
  if (cell === null) return '';
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

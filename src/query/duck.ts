/** DuckDB, loaded when a query service starts: it is a native addon of some tens of megabytes. */
import { createRequire } from 'node:module';
import type * as DuckDB from '@duckdb/node-api';
import type { LevelType } from '../config/queries-schema.ts';
import type { ParameterValue } from './parameters.ts';

export type Duck = typeof DuckDB;

const load = createRequire(import.meta.url);

export function loadDuck(): Duck {
  return load('@duckdb/node-api') as Duck;
}

/** A text as a literal of SQL. Values of requests are bound, so this is for what the operator or this program has written. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as SQL takes it, whatever characters it has. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export const LEVEL_SQL: Readonly<Record<LevelType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
};

export interface Bindings {
  values: Record<string, DuckDB.DuckDBValue>;
  types: Record<string, DuckDB.DuckDBType>;
}

/** Values with their types, as DuckDB binds them. NULL is bound as a NULL of the parameter's type. */
export function bindingsOf(
  duck: Duck,
  parameters: ReadonlyMap<string, { type: ParameterValue['type']; value: ParameterValue | null }>,
): Bindings {
  const bindings: Bindings = { values: {}, types: {} };
  for (const [name, { type, value }] of parameters) {
    bindings.values[name] = value === null ? null : valueOf(duck, value);
    bindings.types[name] = typeOf(duck, type, value);
  }
  return bindings;
}

const WIDTH = 38;

function valueOf(duck: Duck, given: ParameterValue): DuckDB.DuckDBValue {
  switch (given.type) {
    case 'decimal':
      return new duck.DuckDBDecimalValue(given.value, WIDTH, given.scale);
    case 'date':
      return new duck.DuckDBDateValue(given.value);
    case 'timestamp':
      return new duck.DuckDBTimestampValue(given.value);
    case 'instant':
      return new duck.DuckDBTimestampTZValue(given.value);
    default:
      return given.value;
  }
}

function typeOf(duck: Duck, type: ParameterValue['type'], value: ParameterValue | null): DuckDB.DuckDBType {
  switch (type) {
    case 'text':
      return duck.VARCHAR;
    case 'integer':
      return duck.BIGINT;
    case 'number':
      return duck.DOUBLE;
    case 'decimal':
      return duck.DECIMAL(WIDTH, value?.type === 'decimal' ? value.scale : 0);
    case 'boolean':
      return duck.BOOLEAN;
    case 'date':
      return duck.DATE;
    case 'timestamp':
      return duck.TIMESTAMP;
    case 'instant':
      return duck.TIMESTAMPTZ;
  }
}

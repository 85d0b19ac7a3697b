/** The settings of `queries` in hippo.yaml: tables that a query service reads, and its routes. */
import * as v from 'valibot';
import {
  consistent,
  deferred,
  described,
  duration,
  scalarText,
  size,
  some,
  wholeNumber,
} from './schema-parts.ts';

/** The types of a partition level. */
export const LEVEL_TYPES = ['text', 'integer', 'date', 'timestamp'] as const;
export type LevelType = (typeof LEVEL_TYPES)[number];

/** The types of a parameter. `timestamp` has no time zone, `instant` is a point in time. */
export const PARAMETER_TYPES = [
  'text',
  'integer',
  'number',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'instant',
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

/** Of the service itself: no parameter may have these names. */
export const RESERVED_PARAMETERS: readonly string[] = ['cursor', 'limit'];

const identifier = v.pipe(
  v.string(),
  v.regex(
    /^[a-z_][a-z0-9_]{0,63}$/,
    'must be lower case letters, digits and "_", not beginning with a digit',
  ),
);

/** `{name}` in it is a parameter. */
const routePath = v.pipe(
  v.string(),
  v.regex(
    /^(\/([A-Za-z0-9._~-]+|\{[a-z_][a-z0-9_]{0,63}\}))+$/,
    'must be a path such as /orders or /customers/{id}',
  ),
  v.check((path) => !/(^|\/)\.{1,2}(\/|$)/.test(path), 'must have no part "." or ".."'),
);

const queriedTable = v.pipe(
  v.string(),
  v.regex(/^[^.\s/"'=]+\.[^.\s/"'=]+$/, 'must be db.table, without quotes and "="'),
);

const table = deferred(() =>
  v.strictObject({
    location: described(
      v.pipe(
        v.string(),
        v.regex(/^(?![a-z][a-z0-9+.-]*:\/\/)[^\0]+$/s, 'must be a folder of this machine or of a mount'),
      ),
      'The folder with the Parquet files, or with the folders level=value of the partitions; relative to hippo.yaml',
    ),
    partition: v.optional(
      described(
        v.record(
          v.pipe(v.string(), v.regex(/^[^=/\s"']+$/, 'must be the name of a level')),
          v.picklist(LEVEL_TYPES),
        ),
        'The partition levels, outermost first, with their types. Left out: an unpartitioned table',
      ),
      {},
    ),
    columns: v.optional(
      described(
        v.picklist(['same', 'union']),
        'same: all files have the columns of the newest one. union: a column that a file lacks is null there; each query then opens all files',
      ),
      'same',
    ),
  }),
);

const parameter = deferred(() =>
  v.strictObject({
    type: v.picklist(PARAMETER_TYPES),
    description: v.optional(v.string()),
    required: v.optional(described(v.boolean(), 'A request must have it'), false),
    default: v.optional(described(scalarText, 'Its value where a request does not have it. Left out: null')),
    min: v.optional(described(scalarText, 'The smallest value; of a text: the fewest characters')),
    max: v.optional(described(scalarText, 'The largest value; of a text: the most characters')),
    values: v.optional(described(some(scalarText), 'The values that are allowed; left out: all of the type')),
  }),
);

const parameterFits = consistent<v.InferOutput<typeof parameter>>((given, complain) => {
  if (given.required && given.default !== undefined)
    complain('default', 'is never used, because required is true; leave one of them out');
  if (given.type === 'boolean')
    for (const key of ['min', 'max', 'values'] as const)
      if (given[key] !== undefined) complain(key, 'does not go with type: boolean');
});

const page = deferred(() =>
  v.strictObject({
    size: v.optional(
      described(wholeNumber(1, 100_000), 'Rows of a page where a request does not say `limit`'),
      100,
    ),
    most: v.optional(described(wholeNumber(1, 100_000), 'The largest `limit`'), 1_000),
  }),
);

const pageFits = consistent<v.InferOutput<typeof page>>(({ size: usual, most }, complain) => {
  if (usual > most) complain('size', `is more than page.most, which is ${most}`);
});

const route = deferred(() =>
  v.strictObject({
    path: described(routePath, 'Its path; {name} in it is a parameter'),
    summary: v.optional(described(v.string(), 'A sentence of its documentation')),
    sql: described(
      v.pipe(v.string(), v.minLength(1)),
      'One SELECT of DuckDB over the tables of `queries`. $name is a parameter',
    ),
    parameters: v.optional(v.record(identifier, v.pipe(parameter, parameterFits)), {}),
    answer: v.optional(
      described(
        v.picklist(['rows', 'row']),
        'rows: pages of rows in the order of ORDER BY. row: one row, or 404 where there is none',
      ),
      'rows',
    ),
    page: v.optional(v.pipe(page, pageFits), {}),
    timeout: v.optional(duration('How long the query may take; left out: queries.timeout')),
  }),
);

const MEBIBYTE = 2 ** 20;

/** With it, `hippo serve` answers queries. */
export const queries = deferred(() =>
  v.strictObject({
    tables: described(v.record(queriedTable, table), 'The tables that the routes read, by db.table'),
    routes: described(
      v.record(
        v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'must be letters, digits, "_" and "-"')),
        route,
      ),
      'What is answered, by name',
    ),
    memory: v.optional(size(64 * MEBIBYTE, 'The memory that DuckDB may use'), '512MiB'),
    threads: v.optional(described(wholeNumber(1, 256), 'The threads that DuckDB may use for all queries'), 2),
    connections: v.optional(described(wholeNumber(1, 64), 'So many queries run at the same time'), 4),
    waiting: v.optional(
      described(wholeNumber(0, 10_000), 'So many requests wait for a connection; further ones get 503'),
      32,
    ),
    timeout: v.optional(duration('How long a query may take, with the time that it waits'), '10s'),
    keep: v.optional(
      duration(
        'How long the data of a cursor are kept after newer ones have landed, so that a reader can finish its pages',
      ),
      '1m',
    ),
  }),
);

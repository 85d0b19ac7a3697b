/**
 * Writes rows of a partition into the table that the source reads, and creates the table if it is not there. The same partition
 * again has new rows, so it lands again.
 *
 *   node land-rows.mjs[% for level in partition %] [= level.name =]=VALUE[% endfor %][% if partition.size > 0 %]    [default:[= sample_arguments =]][% endif %]
 *
 * The database is $DATABASE_URL [default: the PostgreSQL of `hippo up`].
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exit } from 'node:process';
import pg from 'pg';

const TABLE = '[= sql_from =]';
const WATERMARK = '[= watermark =]';
const LEVELS = [[% for level in partition %]'[= level.name =]'[% unless forloop.last %], [% endunless %][% endfor %]];
const SAMPLE = [[% for level in partition %]'[= level.name =]=[= level.sample =]'[% unless forloop.last %], [% endunless %][% endfor %]];

function fail(text) {
  console.error(`land-rows.mjs: ${text}`);
  exit(2);
}

function databaseUrl() {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL;
  try {
    const stack = readFileSync(join(import.meta.dirname, '.hippo', 'stack.json'), 'utf8');
    return JSON.parse(stack).environment.DATABASE_URL;
  } catch {
    return fail('there is no database: set DATABASE_URL, or run: hippo up');
  }
}

/** The values of a partition's levels, in their order. */
function valuesOf(words) {
  const pairs = words.map((word) => word.split(/=(.*)/s));
  const isPartition = pairs.length === LEVELS.length && LEVELS.every((level, index) => pairs[index][0] === level);
  if (!isPartition) fail(`'${words.join(' ')}' is not ${LEVELS.map((level) => `${level}=VALUE`).join(' ')}`);
  return pairs.map(([, value]) => value);
}

const words = process.argv.length > 2 ? process.argv.slice(2) : SAMPLE;
const values = valuesOf(words);
const [schema, table] = TABLE.split('.').map((part) => pg.escapeIdentifier(part));
const watermark = pg.escapeIdentifier(WATERMARK);
const levels = LEVELS.map((level) => pg.escapeIdentifier(level));

const client = new pg.Client(databaseUrl());
await client.connect();
try {
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${schema}.${table} (${[
      ...levels.map((level) => `${level} text NOT NULL`),
      'order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
      'amount numeric(10, 2) NOT NULL',
      `${watermark} timestamptz NOT NULL DEFAULT now()`,
    ].join(', ')})`,
  );
  // The source reads the newest rows at each scan.
  const index = pg.escapeIdentifier(`${TABLE}_by_${WATERMARK}`);
  await client.query(`CREATE INDEX IF NOT EXISTS ${index} ON ${schema}.${table} (${watermark})`);
  const columns = [...levels, 'amount'].join(', ');
  const places = levels.map((_, index) => `$${index + 1}`);
  const rows = ['9.90', '12.50'].map((amount) => `(${[...places, amount].join(', ')})`);
  await client.query(`INSERT INTO ${schema}.${table} (${columns}) VALUES ${rows.join(', ')}`, values);
  console.log(`landed: ${rows.length} rows of ${TABLE} ${words.join('/')}`);
} finally {
  await client.end();
}

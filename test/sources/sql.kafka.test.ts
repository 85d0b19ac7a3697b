import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Watermark } from '../../src/core/watermark.ts';
import { newId } from '../../src/core/ids.ts';
import {
  type FoundLanding,
  type Skip,
  type SqlRead,
  SqlScanner,
  isScanError,
} from '../../src/sources/index.ts';
import { POSTGRES_PASSWORD, type Postgres, query, testPostgres } from '../support/postgres.ts';

let postgres: Postgres;
let url: string;
beforeAll(async () => {
  postgres = await testPostgres();
  url = await postgres.database(`db-${newId()}`);
});

interface Scanned {
  landings: FoundLanding[];
  skips: Skip[];
  watermark?: Watermark;
  /** What a scan that failed says. */
  error?: string;
}

interface Options {
  url?: string;
  passwordFile?: string;
  timeout?: number;
  levels?: readonly string[];
}

async function scan(
  read: SqlRead,
  { levels = ['dt'], ...options }: Options = {},
  watermark?: Watermark,
): Promise<Scanned> {
  const scanner = new SqlScanner({
    url: options.url ?? url,
    passwordFile: options.passwordFile ?? null,
    connectTimeout: 5_000,
    timeout: options.timeout ?? 10_000,
    levels,
    read,
  });
  const scanned: Scanned = { landings: [], skips: [] };
  try {
    for await (const some of scanner.scan(new AbortController().signal, (skip) => scanned.skips.push(skip), {
      watermark,
      onWatermark: (reached) => (scanned.watermark = reached),
    }))
      scanned.landings.push(...some);
  } catch (error) {
    if (!isScanError(error)) throw error;
    const text = `${error.kind}: ${error.message}: ${error.why ?? ''}`;
    scanned.error = text
      .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
      .replaceAll(/db-[\w-]+/g, 'DB')
      .replaceAll(/t_\w{32}/g, 'T');
  }
  return scanned;
}

const paths = ({ landings }: Scanned): string[] => landings.map(({ id }) => id);

/** A table of the test's own, with its name as SQL has it. */
async function table(columns: string): Promise<string> {
  const name = `t_${newId().replaceAll('-', '')}`;
  await query(url, `CREATE TABLE ${name} (${columns})`);
  return name;
}

describe('a query', () => {
  it('lists partitions: its levels, its time, and all else as what makes a re-landing', async () => {
    const name = await table('region text, day date, rows int');
    await query(url, `INSERT INTO ${name} VALUES ('us', '2017-04-28', 3), ('eu/west', '2017-04-28', 4)`);
    const sql = `SELECT region, day, rows, timestamptz '2017-04-28 10:00+02' AS landed_at FROM ${name} ORDER BY region;`;
    const options = { levels: ['day', 'region'] };
    const first = await scan({ query: sql }, options);
    expect(first).toEqual({
      skips: [],
      landings: [
        {
          id: 'day=2017-04-28/region=eu%2Fwest',
          partition: [
            { name: 'day', value: '2017-04-28' },
            { name: 'region', value: 'eu/west' },
          ],
          landedAt: Date.UTC(2017, 3, 28, 8),
          found: '["4","2017-04-28 08:00:00+00"]',
        },
        expect.objectContaining({ id: 'day=2017-04-28/region=us' }),
      ],
    });
    await query(url, `UPDATE ${name} SET rows = 5 WHERE region = 'us'`);
    const [same, changed] = (await scan({ query: sql }, options)).landings;
    expect(same).toEqual(first.landings[0]);
    expect(changed?.found).toBe('["5","2017-04-28 08:00:00+00"]');
  });

  it.each([
    ['date', `date '2017-04-28'`, '2017-04-28'],
    ['timestamp', `timestamp '2017-04-28 22:30'`, '2017-04-28T22:30:00'],
    ['timestamptz', `timestamptz '2017-04-28 22:30:00.25-07'`, '2017-04-29T05:30:00.25Z'],
    ['numeric', '1.50', '1.50'],
    ['integer', '201704', '201704'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['double precision', '0.1::float8', '0.1'],
    ['boolean', 'true', 'true'],
    ['character', `'us'::char(6)`, 'us'],
    ['uuid', `'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ])('writes a value of the type %s as documented', async (_, value, text) => {
    // The settings of the database and of its user do not matter.
    const styled = `${url}?options=${encodeURIComponent('-c datestyle=German -c timezone=Asia/Taipei')}`;
    const { landings } = await scan({ query: `SELECT ${value} AS dt` }, { url: styled });
    expect(landings[0]?.partition).toEqual([{ name: 'dt', value: text }]);
  });

  it('without levels is an unpartitioned table, and without rows nothing', async () => {
    expect(paths(await scan({ query: 'SELECT 42 AS rows' }, { levels: [] }))).toEqual(['']);
    expect(await scan({ query: 'SELECT 1 AS dt WHERE false' })).toEqual({ landings: [], skips: [] });
  });

  it('skips rows that are no partition, and says why', async () => {
    const values = `VALUES ('a'), (NULL), ('b'), ('a'), (''), (E'c\\nd')`;
    const { landings, skips } = await scan({ query: `SELECT * FROM (${values}) AS v (dt)` });
    expect(landings.map(({ id }) => id)).toEqual(['dt=a', 'dt=b']);
    expect(skips).toMatchObject([
      { path: 'the row dt=', reason: 'dt is NULL' },
      { path: 'the row dt=a', reason: 'an earlier row is of the same partition' },
      { path: 'the row dt=', reason: 'dt is empty' },
      { path: 'the row dt=c%0Ad' },
    ]);
  });

  it('is read some rows at a time, each time within the timeout', async () => {
    const sql =
      'SELECT g AS dt, pg_sleep(CASE WHEN g % 1000 = 0 THEN 0.4 ELSE 0 END) FROM generate_series(1, 2500) g';
    expect((await scan({ query: sql }, { timeout: 700 })).landings).toHaveLength(2_500);
  });

  it.each([
    [
      '',
      'SELECT dtt FROM pg_class',
      'user: PostgreSQL refuses sql.query: column "dtt" does not exist (42703) at "dtt FROM pg_class". Correct sql.query',
    ],
    [
      '',
      'SELECT 1 AS a, 2 AS b',
      'user: sql.query has no column dt: it has a, b. Select dt, or correct sql.levels',
    ],
    [
      '',
      'SELECT 1 AS dt, 5 AS landed_at',
      'user: the column landed_at of sql.query is no time: Make it a timestamp with time zone: to_timestamp(seconds) AS landed_at',
    ],
    ['', 'SELECT 1 AS dt, 2 AS dt', 'user: sql.query has the column dt twice: Name one of them anew with AS'],
    [
      '',
      'DELETE FROM pg_class',
      'user: PostgreSQL refuses sql.query: syntax error at or near "DELETE" (42601) at "DELETE FROM pg_class". Correct sql.query',
    ],
    [
      '',
      'SELECT 1 AS dt; COMMIT',
      'user: PostgreSQL refuses sql.query: cannot insert multiple commands into a prepared statement (42601). Correct sql.query',
    ],
    [
      '',
      `SELECT setval('pg_catalog.nothing', 1) AS dt`,
      'user: PostgreSQL refuses sql.query: relation "pg_catalog.nothing" does not exist (42P01) at "\'pg_catalog.nothing\', 1) AS dt". Correct sql.query',
    ],
    [
      '',
      'SELECT pg_sleep(9) AS dt',
      'service: postgres://HOST/DB has not answered sql.query: it took longer than sql.timeout. Set a longer one, or make the statement faster',
    ],
    [
      'nobody:x@',
      'SELECT 1',
      'user: postgres://HOST/DB refuses the login: password authentication failed for user "nobody" (28P01). Correct sql.url or sql.password_file',
    ],
    [
      'postgres@',
      'SELECT 1',
      'user: postgres://HOST/DB refuses the login: SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string. Correct sql.url or sql.password_file',
    ],
  ])('%s fails: %s', async (login, sql, error) => {
    const other = url.replace(/\/\/[^@]*@/, login === '' ? '$&' : `//${login}`);
    expect((await scan({ query: sql }, { url: other, timeout: 300 })).error).toBe(error);
  });
});

describe('a connection', () => {
  it('takes the password from a file, which is read again each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-sql-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const passwordFile = join(folder, 'password');
    const bare = new URL(url);
    bare.password = '';
    const options = { url: bare.href, passwordFile };
    expect((await scan({ query: 'SELECT 1 AS dt' }, options)).error).toContain(
      'sql.password_file cannot be read',
    );
    await writeFile(passwordFile, 'wrong\n');
    expect((await scan({ query: 'SELECT 1 AS dt' }, options)).error).toContain('refuses the login');
    await writeFile(passwordFile, `${POSTGRES_PASSWORD}\n`);
    expect(paths(await scan({ query: 'SELECT 1 AS dt' }, options))).toEqual(['dt=1']);
  });

  it.each([
    ['127.0.0.1:1/shop', 'service: the database postgres://HOST/shop is away: connect ECONNREFUSED HOST'],
    [
      'no-such-host.invalid/shop',
      'service: the database postgres://no-such-host.invalid/shop is away: getaddrinfo',
    ],
    [
      'SERVER/no-such-database',
      'user: postgres://HOST/no-such-database refuses the login: database "no-such-database" does not exist (3D000)',
    ],
    [
      'SERVER/postgres?sslmode=verify-full',
      'user: postgres://HOST/postgres cannot be trusted: The server does not support SSL connections. sslmode',
    ],
    [
      'SERVER/postgres?sslmode=verify-full&sslrootcert=/no/such/ca.pem',
      'user: sql.url cannot be used: ENOENT: no such file or directory, open',
    ],
  ])('to %s fails', async (where, error) => {
    const at = url.replace(/@.*/, `@${where.replace('SERVER', `127.0.0.1:${postgres.port}`)}`);
    expect((await scan({ query: 'SELECT 1 AS dt' }, { url: at })).error).toContain(error);
  });

  it('can be tried without reading rows', async () => {
    const look = (query: string): Promise<void> =>
      new SqlScanner({
        ...{ url, passwordFile: null, connectTimeout: 5_000, timeout: 300, levels: ['dt'] },
        read: { query },
      }).look(new AbortController().signal);
    await look('SELECT pg_sleep(9) AS dt');
    await expect(look('SELECT pg_sleep(9) AS d')).rejects.toThrow('sql.query has no column dt');
  });

  it('leaves nothing behind in the database, whatever ends the scan', async () => {
    await scan({ query: 'SELECT 1 AS dt' });
    await scan({ query: 'SELECT nope' });
    const open = `SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name = 'hippo'`;
    await expect.poll(() => query(url, open)).toEqual([{ open: 0 }]);
  });
});

describe('a watermark', () => {
  const growing = (name: string, more: object = {}): SqlRead => ({
    from: ['public', name],
    watermark: 'loaded_at',
    overlap: 600_000,
    of: 'shop.orders',
    startsAtEnd: false,
    ...more,
  });

  async function orders(): Promise<{ name: string; load: (rows: string) => Promise<unknown> }> {
    const name = await table('dt date, amount int, loaded_at timestamptz');
    return { name, load: (rows) => query(url, `INSERT INTO ${name} VALUES ${rows}`) };
  }

  it('reads only what is newer, in the order in which it was written', async () => {
    const { name, load } = await orders();
    await load(`('2017-04-27', 1, '2017-04-28 09:00Z'), ('2017-04-28', 2, '2017-04-28 08:00Z')`);
    const first = await scan(growing(name));
    expect(paths(first)).toEqual(['dt=2017-04-28', 'dt=2017-04-27']);
    expect(first.landings[1]?.landedAt).toBe(Date.UTC(2017, 3, 28, 9));
    expect(first.watermark).toEqual({
      of: `shop.orders public.${name}.loaded_at by dt`,
      at: '2017-04-28 09:00:00+00',
    });
    await load(`('2017-04-28', 3, '2017-04-28 10:00Z')`);
    const second = await scan(growing(name), {}, first.watermark);
    expect(paths(second)).toEqual(['dt=2017-04-27', 'dt=2017-04-28']);
    // The first one is read again, and has not changed.
    expect(second.landings[0]).toEqual(first.landings[1]);
    expect(second.watermark?.at).toBe('2017-04-28 10:00:00+00');
    expect(paths(await scan(growing(name), {}, second.watermark))).toEqual(['dt=2017-04-28']);
  });

  it('finds what was committed late, also in a partition with newer rows', async () => {
    const { name, load } = await orders();
    await load(`('2017-04-27', 1, '2017-04-28 09:00Z')`);
    const late = new pg.Client(url);
    await late.connect();
    onTestFinished(() => late.end());
    await late.query('BEGIN');
    await late.query(
      `INSERT INTO ${name} VALUES ('2017-04-27', 2, '2017-04-28 08:59Z'), ('2017-04-26', 2, '2017-04-28 08:59Z')`,
    );
    const first = await scan(growing(name));
    await load(`('2017-04-28', 3, '2017-04-28 09:05Z')`);
    const second = await scan(growing(name), {}, first.watermark);
    expect(second.landings.find(({ id }) => id === 'dt=2017-04-27')).toEqual(first.landings[0]);
    await late.query('COMMIT');
    const third = await scan(growing(name), {}, second.watermark);
    expect(paths(third)).toEqual(['dt=2017-04-26', 'dt=2017-04-27', 'dt=2017-04-28']);
    expect(third.landings[1]?.found).not.toBe(first.landings[0]?.found);
    // Nothing has changed since: what is found stays the same while the watermark moves on.
    await load(`('2017-04-28', 3, '2017-04-28 09:08Z')`);
    const fourth = await scan(growing(name), {}, third.watermark);
    expect(fourth.landings.slice(0, 2)).toEqual(third.landings.slice(0, 2));
  });

  it('is not moved beyond now by a row of the future', async () => {
    const { name, load } = await orders();
    await load(`('2017-04-27', 1, '9999-12-31'), ('2017-04-26', 1, 'infinity'), ('2017-04-25', 1, NULL)`);
    const first = await scan(growing(name));
    expect(paths(first)).toEqual(['dt=2017-04-27', 'dt=2017-04-26']);
    expect(Date.parse(first.watermark?.at ?? '')).toBeLessThan(Date.now() + 60_000);
    await load(`('2017-04-28', 3, now())`);
    expect(paths(await scan(growing(name), {}, first.watermark))).toContain('dt=2017-04-28');
  });

  it('of another table, column or level does not count', async () => {
    const { name, load } = await orders();
    await load(`('2017-04-27', 1, '2017-04-28 09:00Z')`);
    const { watermark } = await scan(growing(name));
    await load(`('2017-04-26', 1, '2017-04-20')`);
    expect((await scan(growing(name), {}, watermark)).landings).toHaveLength(1);
    expect((await scan(growing(name, { of: 'shop.sales' }), {}, watermark)).landings).toHaveLength(2);
    expect((await scan(growing(name), { levels: ['dt', 'amount'] }, watermark)).landings).toHaveLength(2);
  });

  it('starts at the end where that is wanted', async () => {
    const { name, load } = await orders();
    await load(`('2017-04-26', 1, '2017-04-01'), ('2017-04-27', 1, '2017-04-28 09:00Z')`);
    const first = await scan(growing(name, { startsAtEnd: true }));
    expect([paths(first), first.watermark?.at]).toEqual([['dt=2017-04-27'], '2017-04-28 09:00:00+00']);
    const empty = await orders();
    expect(await scan(growing(empty.name, { startsAtEnd: true }))).toEqual({ landings: [], skips: [] });
  });

  it('may be a date, or without levels', async () => {
    const name = await table('day date, amount int');
    await query(url, `INSERT INTO ${name} VALUES ('2017-04-27', 1), ('2017-04-28', 1)`);
    const read = growing(name, { watermark: 'day' });
    const first = await scan(read, { levels: [] });
    expect(first.landings).toMatchObject([
      { id: '', landedAt: Date.UTC(2017, 3, 28), found: '2017-04-28 1' },
    ]);
    expect(first.watermark?.at).toBe('2017-04-28');
    await query(url, `INSERT INTO ${name} VALUES ('2017-04-28', 2)`);
    expect((await scan(read, { levels: [] }, first.watermark)).landings[0]?.found).toBe('2017-04-28 2');
  });

  it.each(['bigint', 'numeric'])('may be a number (%s), which may begin anew', async (type) => {
    const name = await table(`dt text, id ${type}`);
    const read = growing(name, { watermark: 'id', overlap: 5_000 });
    await query(
      url,
      `INSERT INTO ${name} SELECT 'a', g FROM generate_series(1, 90) g UNION ALL VALUES ('b', 100)`,
    );
    const first = await scan(read);
    expect([paths(first), first.watermark?.at]).toEqual([['dt=a', 'dt=b'], '100']);
    expect(first.landings[0]?.found).toBe('90 6');
    await query(url, `INSERT INTO ${name} VALUES ('c', 101)`);
    const second = await scan(read, {}, first.watermark);
    expect(paths(second)).toEqual(['dt=b', 'dt=c']);
    await query(url, `TRUNCATE ${name}`);
    expect(await scan(read, {}, second.watermark)).toEqual({ landings: [], skips: [] });
    await query(url, `INSERT INTO ${name} VALUES ('d', 1)`);
    const anew = await scan(read, {}, second.watermark);
    expect([paths(anew), anew.watermark?.at]).toEqual([['dt=d'], '1']);
  });

  it('quotes names', async () => {
    await query(
      url,
      `CREATE SCHEMA "my schema"; CREATE TABLE "my schema"."a""b" ("d""t" text, "Loaded" timestamptz)`,
    );
    await query(url, `INSERT INTO "my schema"."a""b" VALUES ('x', '2017-04-28')`);
    const read = growing('', { from: ['my schema', 'a"b'], watermark: 'Loaded' });
    expect(paths(await scan(read, { levels: ['d"t'] }))).toEqual(['d%22t=x']);
  });

  it.each([
    [
      { from: ['public', 'nothing'] },
      'user: PostgreSQL refuses sql.from: relation "public.nothing" does not exist (42P01). Correct sql.from',
    ],
    [
      { watermark: 'loaded_on' },
      'user: PostgreSQL refuses sql.watermark: column "loaded_on" does not exist (42703); Perhaps you meant to reference the column "T.loaded_at". Correct sql.watermark',
    ],
    [
      { watermark: 'note' },
      'user: the column note cannot be a watermark: it is no date, time or number. Correct sql.watermark',
    ],
  ])('that cannot be read says so: %j', async (more, error) => {
    const name = await table('dt date, note text, loaded_at timestamptz');
    expect((await scan(growing(name, more))).error).toBe(error);
  });
});

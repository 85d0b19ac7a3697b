/** What hippo.yaml may ask of DuckDB: routes are checked when they are loaded, and the engine is locked down besides. */
import { describe, expect, it } from 'vitest';
import { openQueries } from '../../src/query/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Engine, QueryFailure } from '../../src/query/engine.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { ConfigError } from '../../src/config/problems.ts';
import { newProject, ordersOf } from './support.ts';

/** A hippo.yaml with one route for each SQL, by the names `r0`, `r1`, …; its first line of SQL is line 6 + 4 × its number. */
function routesOf(statements: readonly string[]): string {
  const routes = statements.map(
    (sql, index) =>
      `    r${index}:\n      path: /r${index}\n      parameters: { day: { type: date } }\n      sql: ${JSON.stringify(sql)}`,
  );
  return `  tables: { shop.orders: { location: data/orders, partition: { dt: date } } }\n  routes:\n${routes.join('\n')}`;
}

const DAY = `FROM shop.orders WHERE dt = $day ORDER BY id`;
const REFUSED: [string, RegExp][] = [
  [`SELECT * FROM read_csv('/etc/passwd') WHERE $day IS NULL ORDER BY 1`, /calls read_csv in FROM/],
  [`SELECT * FROM read_text('/etc/passwd') ORDER BY 1`, /calls read_text in FROM/],
  [`SELECT * FROM glob('/*') ORDER BY 1`, /calls glob in FROM/],
  [`SELECT * FROM '/etc/passwd' ORDER BY 1`, /reads \/etc\/passwd, which is not in queries\.tables/],
  [`SELECT * FROM query('SELECT 1') ORDER BY 1`, /calls query in FROM/],
  [`SELECT * FROM duckdb_settings() ORDER BY 1`, /calls duckdb_settings in FROM/],
  [`SELECT * FROM information_schema.tables ORDER BY 1`, /reads information_schema\.tables/],
  [
    `SELECT * FROM (SELECT * FROM other.orders) ORDER BY 1`,
    /reads other\.orders.*Did you mean shop\.orders\?/,
  ],
  [`SELECT (SELECT max(content) FROM read_text('/etc/passwd')) AS a ${DAY}`, /calls read_text in FROM/],
  [`ATTACH '/tmp/x.db' AS x`, /must be one SELECT/],
  [`COPY shop.orders TO '/tmp/x.csv'`, /must be one SELECT/],
  [`COPY (SELECT 1) TO '/tmp/x.csv'`, /must be one SELECT/],
  [`PRAGMA database_list`, /must be one SELECT/],
  [`SET memory_limit = '1TB'`, /must be one SELECT/],
  [`INSTALL httpfs`, /must be one SELECT/],
  [`DROP VIEW shop.orders`, /must be one SELECT/],
  [`CALL pragma_version()`, /must be one SELECT/],
  [`DESCRIBE shop.orders`, /SHOW, DESCRIBE and SUMMARIZE are refused/],
  [`SELECT 1; SELECT 2`, /it has 2 statements/],
  [`SELECT id ${DAY}; DROP VIEW shop.orders`, /must be one SELECT/],
  [`SELECT current_setting('home_directory') AS a ${DAY}`, /calls current_setting, which is refused/],
  [`SELECT random() AS a, id ${DAY}`, /calls random, whose result is another one each time/],
  [`SELECT now() AS a, id ${DAY}`, /calls now, whose result/],
  [`SELECT current_date AS a, id ${DAY}`, /uses current_date, whose value/],
  [`SELECT id FROM shop.orders TABLESAMPLE 10% WHERE dt = $day ORDER BY id`, /must not take a sample/],
  [
    `SELECT id FROM shop.orders WHERE dt = $dya ORDER BY id`,
    /uses \$dya, which is not in parameters\. Did you mean day\?/,
  ],
  [`SELECT id FROM shop.orders WHERE dt = ? ORDER BY id`, /must name its parameters/],
  [`SELECT id FROM shop.orders ORDER BY id`, /does not use \$day/],
  [`SELECT id FROM shop.orders WHERE dt = $day`, /has no ORDER BY/],
  [`SELECT customer ${DAY}`, /orders by id, which is not a column of the answer/],
  [
    `SELECT id FROM shop.orders WHERE dt = $day ORDER BY lower(customer)`,
    /must order by columns of the answer/,
  ],
  [
    `SELECT [id] AS ids FROM shop.orders WHERE dt = $day ORDER BY ids`,
    /orders by ids, whose type INTEGER\[\] cannot be paged by/,
  ],
  [`SELECT id, id ${DAY}`, /has two columns named id/],
  [`SELECT nothing ${DAY}`, /cannot be run: .*nothing/],
  [`SELEC id ${DAY}`, /is not SQL of DuckDB/],
];

it('a route is refused when it is loaded, each with its line', async () => {
  const project = await newProject();
  await project.configure(routesOf(REFUSED.map(([sql]) => sql)));
  await project.write('data/orders/dt=2026-01-01', ordersOf(1));
  const error = await project.open().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  const { problems } = error as ConfigError;
  const found = REFUSED.map((_, index) =>
    problems.find(({ place }) => place.key === `queries.routes.r${index}.sql`),
  );
  expect(found.map((one, index) => `${REFUSED[index]![0]}: ${one?.message ?? 'is taken'}`)).toEqual(
    REFUSED.map(
      ([sql, message]) =>
        expect.stringMatching(new RegExp(`${escaped(sql)}: .*${message.source}`, 's')) as unknown,
    ),
  );
  expect(found.map((one) => one?.place.line)).toEqual(REFUSED.map((_, index) => 8 + 4 * index));
}, 60_000);

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

it('the line of a mistake is that in the SQL', async () => {
  const project = await newProject();
  await project.configure(
    [
      '  tables: { shop.orders: { location: data/orders, partition: { dt: date } } }',
      '  routes:',
      '    one:',
      '      path: /one',
      '      sql: |',
      '        SELECT id',
      '        FROM shop.orders',
      '        JOIN shop.customers USING (id)',
      '        ORDER BY id',
    ].join('\n'),
  );
  await expect(project.open()).rejects.toMatchObject({
    message: 'queries.routes.one.sql reads shop.customers, which is not in queries.tables',
    place: { file: 'hippo.yaml', line: 10 },
  });
});

it.each([
  ['{ id: { type: integer, default: x } }', 'default must be a whole number of 64 bits'],
  ['{ id: { type: integer, min: 3, max: 2 } }', 'max is less than min, which is 3'],
  ['{ id: { type: integer, min: 3, default: 2 } }', 'default must be at least 3'],
  ['{ limit: { type: integer } }', 'is a name that each route has already; take another one'],
])('parameters %s are refused', async (parameters, message) => {
  const project = await newProject();
  await project.configure(
    `
  tables: { a.b: { location: data } }
  routes: { one: { path: /one, sql: SELECT id FROM a.b ORDER BY id, parameters: ${parameters} } }
`.slice(1),
  );
  await expect(project.open()).rejects.toThrow(message);
});

it('a value of a request is never SQL', async () => {
  const project = await newProject();
  await project.configure(
    `
  tables: { shop.orders: { location: data/orders, partition: { dt: date } } }
  routes:
    by: { path: '/by/{customer}', sql: SELECT id FROM shop.orders WHERE customer = $customer ORDER BY id, parameters: { customer: { type: text } } }
`.slice(1),
  );
  await project.write('data/orders/dt=2026-01-01', ordersOf(1));
  const service = await project.start();
  expect((await service.get('/by/c1')).body.rows).toEqual([{ id: 2 }]);
  for (const attempt of [
    `c1' OR '1'='1`,
    `'; DROP VIEW shop.orders; --`,
    '$customer',
    '../../etc/passwd',
    '%27',
    'x"; SELECT 1',
  ])
    expect((await service.get(`/by/${encodeURIComponent(attempt)}`)).body.rows, attempt).toEqual([]);
  expect((await service.get('/by/c1')).body.rows).toEqual([{ id: 2 }]);
});

it('no hippo.yaml without queries is opened', async () => {
  const project = await newProject();
  const loaded = await loadConfig({ cwd: project.folder, env: {} });
  await expect(openQueries({ loaded, env: {}, notice: () => undefined })).rejects.toThrow(
    'hippo.yaml has no queries',
  );
});

describe('the engine itself', () => {
  let folder = '';
  let engine: Engine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hippo-engine-'));
    engine = await Engine.open({
      ...{ memory: 2 ** 28, threads: 2, connections: 2, waiting: 1 },
      ...{ readable: [join(folder, 'data')], scratch: join(folder, 'scratch') },
    });
    await engine.control([`ATTACH ':memory:' AS data`]);
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const run = (sql: string, timeout = 20_000): Promise<unknown> =>
    engine.run({ catalog: 'data', timeout }, async (ask) => (await ask(sql)).getRows());
  const SLOW = 'SELECT count(*) FROM range(100000000000) a(i), range(1000) b(j) WHERE (i * j) % 7 = 3';

  it.each([
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM '/etc/passwd'`,
    `SELECT * FROM glob('/etc/*')`,
    `ATTACH '/tmp/hippo-attached.db'`,
    `COPY (SELECT 1) TO '/tmp/hippo-copied.csv'`,
    `SET enable_external_access = true`,
    `SET memory_limit = '1TB'`,
    `SET allowed_directories = ['/']`,
    `INSTALL httpfs`,
    `LOAD '/tmp/x.duckdb_extension'`,
  ])('refuses %s by itself', async (sql) => {
    await expect(run(sql)).rejects.toThrow(QueryFailure);
  });

  it.each(['..', '../data/../..'])('does not read above its folders: %s', async (path) => {
    await expect(run(`SELECT * FROM read_text('${folder}/data/${path}/etc/passwd')`)).rejects.toThrow(
      QueryFailure,
    );
  });

  it('ends a query that takes too long, and answers others meanwhile', async () => {
    const slow = run(SLOW, 700).catch((error: unknown) => error);
    expect(await run('SELECT 1')).toEqual([[1]]);
    expect(await slow).toMatchObject({ kind: 'late' });
    expect(engine.load).toEqual({ running: 0, waiting: 0 });
  });

  it('ends a query whose time is over before it begins', async () => {
    await expect(run(SLOW, 0)).rejects.toMatchObject({ kind: 'late' });
  });

  it('ends a query whose caller has gone', async () => {
    const stop = new AbortController();
    const slow = engine.run({ catalog: 'data', timeout: 20_000, signal: stop.signal }, (ask) => ask(SLOW));
    stop.abort();
    await expect(slow).rejects.toMatchObject({ kind: 'stopped' });
  });

  it('lets so many wait, and refuses the others at once', async () => {
    const slow = [run(SLOW, 1_000), run(SLOW, 1_000), run('SELECT 1', 10_000)].map((one) =>
      one.catch((error: unknown) => error),
    );
    await expect(run('SELECT 1')).rejects.toMatchObject({ kind: 'full' });
    expect(await Promise.all(slow)).toMatchObject([{ kind: 'late' }, { kind: 'late' }, [[1]]]);
  });

  it('says that a query needs too much memory', async () => {
    await expect(run(`SELECT list(i) FROM range(60000000) t(i)`)).rejects.toMatchObject({ kind: 'memory' });
  });
});

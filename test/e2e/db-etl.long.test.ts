/** db-etl projects in both directions: fed and checked by other programs than Spark, killed midway, and checked again. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test, vi } from 'vitest';
import { readStackFile } from '../../src/config/stack-file.ts';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { makeEnterable } from '../../src/stack/postgres/server-user.ts';
import { testBrokers } from '../support/brokers.ts';
import { hippo } from '../support/cli.ts';
import { duckdb } from '../support/duckdb.ts';
import { makeFolder } from '../support/folder.ts';
import { query } from '../support/postgres.ts';
import { type TestClient, endClient, startClient, until } from '../support/project.ts';

// Each run of Spark takes ten seconds on a machine that does nothing else.
const PATIENCE = 600_000;
vi.setConfig({ testTimeout: 3 * PATIENCE });

interface Made {
  directory: string;
  /** Of the local PostgreSQL. */
  url: string;
  hippo: (...args: string[]) => ReturnType<typeof hippo>;
  /** Starts its client; it is ended at the end of `use`. */
  start: () => TestClient;
}

/** The sample's project, with a PostgreSQL of its own, on the tests' Kafka; it goes at the end of `use`. */
async function withProject(direction: string, use: (made: Made) => Promise<void>): Promise<void> {
  await makeEnterable(inject('testFolder'));
  const folder = await makeFolder('db-etl');
  await makeEnterable(folder);
  const directory = join(folder, 'copy');
  await newProject({
    ...{ type: 'db-etl', name: `copy-${newId().slice(0, 8)}`, directory, given: { direction } },
    ...{ from: 'sample', force: false, dryRun: false },
  });
  // A retry comes at once, and a standby takes over soon.
  const yaml = (await readFile(join(directory, 'hippo.yaml'), 'utf8')).replace('backoff: 30s', 'backoff: 1s');
  await writeFile(join(directory, 'hippo.yaml'), `${yaml}client: { session_timeout: 6s }\n`);
  const env = {
    HIPPO_BROKERS: (await testBrokers()).join(','),
    HIPPO_TOPICS_PREFIX: `${newId().slice(0, 8)}-`,
    ...{ HIPPO_CONFIG: '', HIPPO_PROFILE: '', DATABASE_URL: '' },
    // Spark starts faster with the first compiler alone.
    JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
  };
  const run = (...args: string[]): ReturnType<typeof hippo> =>
    hippo(args, { cwd: directory, env, timeout: PATIENCE });
  const clients: TestClient[] = [];
  const start = (): TestClient => {
    const client = startClient(directory, env);
    clients.push(client);
    return client;
  };
  try {
    const up = await run('up');
    expect(up.exitCode, up.stderr).toBe(0);
    const url = readStackFile(directory)?.environment?.['DATABASE_URL'] ?? '';
    await use({ directory, url, hippo: run, start });
  } finally {
    await Promise.all(clients.map(endClient));
    await run('down', '--purge', '--yes');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

test('in: rows become Parquet, and none is lost where the client is killed midway', async () => {
  await withProject('in', async ({ directory, url, hippo: run, start }) => {
    await query(
      url,
      `CREATE TABLE public.orders (id bigint PRIMARY KEY, price numeric(12, 2), tags text[], doc jsonb, bytes bytea,
         updated_at timestamptz NOT NULL)`,
    );
    const insert = (from: number, to: number): Promise<unknown> =>
      query(
        url,
        `INSERT INTO public.orders
         SELECT n, n + 0.25, ARRAY['a', NULL], '{"n": null}', '\\x00ff', '2024-01-01T00:00:00Z'::timestamptz + n * interval '1 hour'
         FROM generate_series($1::int, $2::int) AS n`,
        [from, to],
      );
    await insert(1, 1000);
    const partition = (day: string): string => join(directory, 'data/output/shop.orders', `yyyymmdd=${day}`);
    const ids = async (day: string): Promise<number[]> =>
      (
        await duckdb(
          `SELECT id FROM read_parquet('${partition(day)}/*.parquet', hive_partitioning = false) ORDER BY id`,
        )
      ).map(({ id }) => Number(id));

    const first = start();
    const copied = await run('job', 'run', 'extract', '--key', '2024-01-01', '--wait');
    expect(copied.exitCode, copied.stdout).toBe(0);
    const files = `read_parquet('${partition('20240101')}/*.parquet', hive_partitioning = false)`;
    expect(await duckdb(`DESCRIBE SELECT * FROM ${files}`)).toMatchObject([
      { column_name: 'id', column_type: 'BIGINT' },
      { column_name: 'price', column_type: 'DECIMAL(12,2)' },
      { column_name: 'tags', column_type: 'VARCHAR[]' },
      { column_name: 'doc', column_type: 'VARCHAR' },
      { column_name: 'bytes', column_type: 'BLOB' },
      { column_name: 'updated_at', column_type: 'TIMESTAMP WITH TIME ZONE' },
    ]);
    expect(
      await duckdb(
        `SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids, sum(price)::varchar AS total, min(epoch(updated_at))::bigint::varchar AS since FROM ${files}`,
      ),
    ).toEqual([{ n: 1000, ids: 1000, total: '500750.00', since: String(Date.UTC(2024, 0, 1, 1) / 1000) }]);

    // The next run is killed when it has noted its span, before or while it writes.
    await insert(1001, 1200);
    await run('job', 'run', 'extract', '--key', '2024-01-02');
    const notes = join(directory, 'data/output/_spans/shop.orders/yyyymmdd=20240102');
    const hasNote = (): boolean =>
      existsSync(notes) && readdirSync(notes).some((name) => /^\d.*json$/.test(name));
    await until(hasNote, 'the second run reads', PATIENCE);
    first.kill('SIGKILL');
    await first.ended;
    await insert(1201, 1210);
    const second = start();
    await second.event('ended', ({ run_key: key }) => key === '2024-01-02', PATIENCE);
    const last = await run('job', 'run', 'extract', '--key', '2024-01-03', '--wait');
    expect(last.exitCode, last.stdout).toBe(0);
    // Each begins with the newest row before it: the overlap.
    expect(await ids('20240102')).toEqual(range(1000, 1210));
    expect(await ids('20240103')).toEqual([1210]);
    const events = await run('tail', 'frontier', '--from', 'beginning', '--exit-at-end', '--json');
    expect(events.stdout.trim().split('\n')).toHaveLength(3);
  });
});

test('out: Parquet becomes rows, once, where Spark is killed midway; what is wrong is said', async () => {
  await withProject('out', async ({ directory, url, hippo: run, start }) => {
    const folder = join(directory, 'data/input/shop.sales/yyyymmdd=20240101');
    await mkdir(folder, { recursive: true });
    const land = (rows: number): Promise<unknown> =>
      duckdb(
        `COPY (SELECT i AS id, (i + 0.5)::DECIMAL(9, 2) AS price, TIMESTAMPTZ '2024-01-01T00:00:00Z' AS at, ['x', NULL] AS tags
         FROM range(${rows}) AS t(i)) TO '${folder}/part-0.parquet'`,
      );
    const table = (): Promise<unknown[]> =>
      query(
        url,
        `SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids, sum(price)::text AS total, min(yyyymmdd) AS day,
           bool_and(at = '2024-01-01T00:00Z') AS at, bool_and(tags[1] = 'x' AND tags[2] IS NULL) AS tags
         FROM public.daily_sales`,
      );
    const rowsAre = (n: number): unknown[] => [
      { n, ids: n, total: ((n * n) / 2).toFixed(2), day: '20240101', at: true, tags: true },
    ];

    await land(1000);
    const client = start();
    const loaded = await run('trigger', '--wait');
    expect(loaded.exitCode, loaded.stdout).toBe(0);
    expect(await table()).toEqual(rowsAre(1000));

    await land(200_000);
    await run('trigger');
    const attempts = (): { pid: number }[] =>
      client.events.flatMap((event) => (event.event === 'submitted' ? [{ pid: event.pid }] : []));
    await until(() => attempts().length === 2, 'the second run starts', PATIENCE);
    const pid = attempts()[1]?.pid ?? 0;
    const staged = "SELECT FROM pg_tables WHERE tablename LIKE 'hippo_staging_%'";
    await until(async () => (await query(url, staged)).length > 0, 'rows are staged', PATIENCE);
    process.kill(-pid, 'SIGKILL');
    expect(await table()).toEqual(rowsAre(1000));
    await client.event('ended', ({ attempt, outcome }) => attempt === 2 && outcome === 'succeeded', PATIENCE);
    expect(await table()).toEqual(rowsAre(200_000));
    expect(await query(url, staged)).toEqual([]);

    const wrong = new URL(url);
    wrong.password = 'swordfish';
    const refused = await execa(
      './start-spark.sh',
      ['--table', 'shop.sales', '--database-table', 'public.daily_sales'],
      {
        cwd: directory,
        env: { DATABASE_URL: wrong.href },
        reject: false,
      },
    );
    expect(refused.exitCode).toBe(3);
    // spark-submit puts what Python prints on stderr there, too.
    expect(refused.stdout).toContain('refuses the user or the password of $DATABASE_URL');
    expect(refused.stdout + refused.stderr).not.toContain('swordfish');
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

import pg from 'pg';
import { describe, expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { query, startPostgres, testPostgres } from '../support/postgres.ts';
import { announced } from '../support/announced.ts';
import { finishes, test, until } from '../support/project.ts';

const LOAD = `load:
  every: day
  needs: [{ table: shop.orders, partition: { dt: '{{ window }}' } }]
  run: ./job.sh`;

const QUERY = 'SELECT dt, count(*) AS rows, max(loaded_at) AS landed_at FROM orders GROUP BY dt';

function source(sql: string, every = '200ms'): string {
  return `client: { session_timeout: 6s }
sources:
  orders:
    table: shop.orders
    every: ${every}
    sql: { url: "\${SHOP_URL:-postgres://localhost/none}", levels: [dt], timeout: 5s, ${sql} }`;
}

const BY_WATERMARK = source('from: public.orders, watermark: loaded_at, overlap: 10m');

/** A database of the test's own, with a table. */
async function shop(): Promise<{ url: string; load: (day: string, at?: string) => Promise<unknown> }> {
  const url = await (await testPostgres()).database(`shop-${newId()}`);
  await query(url, 'CREATE TABLE orders (dt date, loaded_at timestamptz)');
  return {
    url,
    load: (day, at = 'now') => query(url, 'INSERT INTO orders VALUES ($1, $2)', [day, at]),
  };
}

const days = (events: readonly string[]): string[] => events.map((event) => event.split(' ')[0] ?? '');

describe('an sql source', () => {
  test.concurrent(
    'announces each partition of new rows once, over kill -9 and a standby, and what was committed late',
    async ({ makeProject, onTestFinished }) => {
      const { url, load } = await shop();
      const project = await makeProject(LOAD, 'exit 0', BY_WATERMARK);
      const env = { SHOP_URL: url };
      await load('2017-04-26', '2017-04-27 08:00Z');
      // A transaction that writes a row now, and commits much later.
      const late = new pg.Client(url);
      await late.connect();
      onTestFinished(() => late.end());
      await late.query('BEGIN');
      await late.query(
        `INSERT INTO orders VALUES ('2017-04-27', '2017-04-28 07:59Z'), ('2017-04-28', '2017-04-28 07:59Z')`,
      );
      const first = project.startClient(env);
      await first.event('finished', ({ run_key: key }) => key === '2017-04-26');
      await load('2017-04-28', '2017-04-28 08:00Z');
      first.kill('SIGKILL');
      await first.ended;
      const second = project.startClient(env);
      await second.event('owner');
      const third = project.startClient(env);
      await third.event('standby');
      await second.event('finished', ({ run_key: key }) => key === '2017-04-28');
      second.kill('SIGKILL');
      await late.query('COMMIT');
      await third.event('owner');
      await third.event('finished', ({ run_key: key }) => key === '2017-04-27');
      // It has one more row than before: the run is fired again.
      await third.event('finished', ({ run_key: key }) => key === '2017-04-28');
      const events = await announced(project);
      expect(days(events).toSorted()).toEqual([
        'dt=2017-04-26',
        'dt=2017-04-27',
        'dt=2017-04-28',
        'dt=2017-04-28',
      ]);
      expect(new Set(events).size).toBe(4);
      third.kill('SIGTERM');
      expect((await third.ended).exitCode).toBe(0);
    },
  );

  test.concurrent('is listed, scanned, paused and resumed from the command line', async ({ makeProject }) => {
    const { url, load } = await shop();
    const project = await makeProject(LOAD, 'exit 0', source(`query: "${QUERY}"`, '1h'));
    const command = async (args: readonly string[]) => {
      const { exitCode, stdout } = await project.hippo([...args, '--json'], { env: { SHOP_URL: url } });
      return { exitCode, data: JSON.parse(stdout) as unknown };
    };
    await load('2017-04-27');
    const dry = ['source', 'scan', 'orders', '--dry-run'];
    expect((await command(dry)).data).toMatchObject({
      would_announce: [{ table: 'shop.orders', partition: 'dt=2017-04-27' }],
    });
    const client = project.startClient({ SHOP_URL: url });
    await client.event('finished');
    await load('2017-04-28');
    const scanned = await command(['source', 'scan', 'orders']);
    expect(scanned).toMatchObject({ exitCode: 0, data: { scan: { listed: 2, announced: 1, error: null } } });
    expect((await command(['job', 'pause', 'orders'])).exitCode).toBe(0);
    await until(async () => (await command(['source', 'scan', 'orders'])).exitCode === 2, 'it is paused');
    await load('2017-04-29');
    expect((await command(['job', 'resume', 'orders'])).exitCode).toBe(0);
    await client.event('finished', ({ run_key: key }) => key === '2017-04-29');
    const list = await command(['source', 'list']);
    expect(list).toMatchObject({ exitCode: 0, data: { sources: [{ known: 3, watermark: null }] } });
    expect(JSON.stringify([list, client.events])).not.toContain('horse');
    const config = await command(['config', 'sources']);
    expect(JSON.stringify(config.data)).toContain('"***"');
    expect(JSON.stringify(config.data)).not.toContain('horse');
    expect(days(await announced(project))).toEqual(['dt=2017-04-27', 'dt=2017-04-28', 'dt=2017-04-29']);
  });

  test.concurrent(
    'whose database is away is said once, and goes on when it is back',
    async ({ makeProject, onTestFinished }) => {
      const postgres = await startPostgres();
      onTestFinished(() => postgres.kill());
      await query(postgres.url, 'CREATE TABLE orders (dt date, loaded_at timestamptz)');
      const load = (day: string) => query(postgres.url, 'INSERT INTO orders VALUES ($1, now())', [day]);
      const other = `\n  refunds: { table: shop.refunds, every: 200ms, sql: { url: "\${SHOP_URL:-postgres://localhost/none}", query: SELECT dtt FROM orders } }`;
      const project = await makeProject(LOAD, 'exit 0', BY_WATERMARK + other);
      await load('2017-04-27');
      const client = project.startClient({ SHOP_URL: postgres.url });
      // The wrong query of one source does not keep the other one from being scanned.
      await client.event('notice', ({ text }) => text.includes('column "dtt" does not exist'));
      await client.event('finished');
      await postgres.kill();
      const { level } = await client.event('notice', ({ text }) =>
        text.startsWith('source orders: the database'),
      );
      expect(level).toBe('error');
      await postgres.start();
      await client.event('notice', ({ text }) => /^source orders: .* can be read again$/.test(text));
      await load('2017-04-28');
      await client.event('finished', ({ run_key: key }) => key === '2017-04-28');
      expect(days(await announced(project))).toEqual(['dt=2017-04-27', 'dt=2017-04-28']);
      const wrong = client.events.filter((event) => event.event === 'notice' && event.text.includes('dtt'));
      // Once more where it was scanned while its database was away.
      expect([1, 2]).toContain(wrong.length);
      expect((await project.hippo(['source', 'list'], { env: { SHOP_URL: postgres.url } })).stdout).toMatch(
        /✗ refunds[^]*Correct\s+sql\.query/,
      );
    },
  );

  test.concurrent('with --once is scanned once, and what follows is run', async ({ makeProject }) => {
    const { url, load } = await shop();
    const project = await makeProject(LOAD, 'exit 0', BY_WATERMARK);
    await load('2017-04-28');
    const once = (SHOP_URL: string) => project.hippo(['run', '--once'], { env: { SHOP_URL } });
    expect((await once(url)).exitCode).toBe(0);
    expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '2017-04-28' }]);
    const wrong = await once(url.replace(/:[^:@]*@/, ':wrong@'));
    expect([wrong.exitCode, wrong.stderr.includes('password authentication failed')]).toEqual([2, true]);
    const away = await once(url.replace(/@[^/]*/, '@127.0.0.1:1'));
    expect([away.exitCode, away.stderr.includes('is away')]).toEqual([3, true]);
    expect(await finishes(project)).toHaveLength(1);
  });
});

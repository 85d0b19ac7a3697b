import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { ClientStatus } from '../../src/client/host/status.ts';
import { duckdb } from '../support/duckdb.ts';
import { type TestClient, type TestProject, httpGet, test, trigger, until } from '../support/project.ts';

const HIPPO = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

const QUERIES = `client: { session_timeout: 6s, kill_grace: 1s, http: { port: 0 } }
queries:
  tables:
    btd.party: { location: data, partition: { yyyymm: text } }
  routes:
    parties:
      path: /parties
      sql: SELECT yyyymm, generation, count(*)::INTEGER AS files FROM btd.party GROUP BY ALL ORDER BY yyyymm, generation
  timeout: 60s
services:
  api:
    run: ['${HIPPO}', serve]
    scope: each
    port: auto
    ready: { http: /readyz }
    metrics: /metrics
    reload_on: [{ table: btd.party }]
    reload: { http: /reload }`;

const FILES = 3;

/** Overwrites a partition file by file, as Spark does: the old ones go first. */
async function overwrite({ directory }: TestProject, month: string, generation: number): Promise<void> {
  const made = join(directory, `made-${month}-${generation}`);
  await mkdir(made);
  for (let file = 0; file < FILES; file += 1)
    await duckdb(`COPY (SELECT ${generation} AS generation) TO '${made}/${file}.parquet' (FORMAT parquet)`);
  const folder = join(directory, 'data', `yyyymm=${month}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (let file = 0; file < FILES; file += 1)
    await rename(join(made, `${file}.parquet`), join(folder, `${generation}-${file}.parquet`));
}

async function addressOf(client: TestClient): Promise<string> {
  const { text } = await httpGet(client, '/readyz');
  const { services } = JSON.parse(text) as Pick<ClientStatus, 'services'>;
  return `http://127.0.0.1:${services.find(({ name }) => name === 'api')?.port ?? 0}`;
}

interface Row {
  yyyymm: string;
  generation: number;
  files: number;
}

async function partiesOf(url: string): Promise<Row[]> {
  const answer = await fetch(`${url}/parties`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { rows: Row[] }).rows;
}

describe('a query service', () => {
  test.concurrent(
    'shows a partition once its event has come, and of one that is overwritten the old or the new files',
    async ({ makeProject }) => {
      const project = await makeProject('{}', 'exit 0', QUERIES);
      await overwrite(project, '201703', 1);
      const client = project.startClient();
      await client.event('service', (event) => event.service === 'api' && event.status === 'ready');
      const url = await addressOf(client);
      const before = { yyyymm: '201703', generation: 1, files: FILES };
      expect(await partiesOf(url)).toEqual([before]);

      await overwrite(project, '201704', 1);
      expect(await partiesOf(url)).toEqual([before]);
      await trigger(project, '201704');
      await until(async () => (await partiesOf(url)).length === 2, 'the partition is visible');
      const tables = async (): Promise<{ awaited: unknown[] }[]> => {
        const answer = await fetch(`${url}/freshness`);
        return ((await answer.json()) as { tables: { awaited: unknown[] }[] }).tables;
      };
      // Its topic may tell the same event once more.
      await until(async () => (await tables())[0]?.awaited.length === 0, 'nothing is awaited');
      expect(await tables()).toMatchObject([
        { table: 'btd.party', partitions: 2, up_to: 'yyyymm=201704', since: expect.any(String) as unknown },
      ]);

      await overwrite(project, '201704', 2);
      const [, stale] = await partiesOf(url);
      expect(stale).toEqual({ yyyymm: '201704', generation: 1, files: FILES });
      await trigger(project, '201704');
      await until(async () => {
        const rows = await partiesOf(url);
        // Never a mixture: one generation with all of its files.
        expect(rows.map(({ files }) => files)).toEqual([FILES, FILES]);
        return rows.at(-1)?.generation === 2;
      }, 'the new files are visible');
      client.kill('SIGTERM');
      expect((await client.ended).exitCode).toBe(0);
    },
  );
});

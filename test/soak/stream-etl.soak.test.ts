/** stream-etl with `--format delta`: the table's log is read as the format says, and DuckDB reads the files that it lists. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { parsePlainJson } from '../../src/core/json.ts';
import { announced, partitionsOf } from '../support/announced.ts';
import { duckdb } from '../support/duckdb.ts';
import { test } from '../support/project.ts';
import { twice } from '../support/stream-etl.ts';
import { PATIENCE, eventsOf, hoursOf, landed, pidOf, streamFixture } from '../support/stream-fixture.ts';

vi.setConfig({ testTimeout: 2 * PATIENCE });

/** The files of the table's newest version: what its log adds and does not remove. */
async function filesOf(table: string): Promise<string[]> {
  const log = join(table, '_delta_log');
  const commits = (await readdir(log)).filter((name) => /^\d{20}\.json$/.test(name)).toSorted();
  const files = new Set<string>();
  for (const commit of commits) {
    const actions = (await readFile(join(log, commit), 'utf8')).trim().split('\n');
    for (const action of actions) {
      const { add, remove } = parsePlainJson(action) as Record<
        'add' | 'remove',
        { path: string } | undefined
      >;
      if (remove !== undefined) files.delete(remove.path);
      if (add !== undefined) files.add(add.path);
    }
  }
  return [...files].map((path) => join(table, decodeURIComponent(path)));
}

test('a Delta table has each record once, over kill -9 of Spark and of the client', async ({
  makeProject,
}) => {
  const { project, stream, client, send } = await streamFixture(makeProject, { format: 'delta' });
  await project.hippo(['job', 'pause', 'aggregate'], { cwd: stream.folder });
  const first = client();
  await send(...eventsOf('09', 300), ...eventsOf('10', 300), ...eventsOf('11', 300));
  await landed(project, 2);
  process.kill(await pidOf(first, 'archive'), 'SIGKILL');
  await send(...eventsOf('12', 100));
  await landed(project, 4);
  first.kill('SIGKILL');
  await first.ended;
  // Late for nine o'clock, which has landed.
  await send(...eventsOf('09', 50, 'late'));
  client();
  await landed(project, 5);

  const files = await filesOf(join(stream.folder, 'data/archive/shop.events'));
  const rows = (await duckdb(
    `SELECT kafka_value ->> 'id' AS id, concat(kafka_partition, ':', kafka_offset) AS record
     FROM read_parquet([${files.map((file) => `'${file}'`).join(', ')}])`,
  )) as { id: string; record: string }[];
  const sent = [
    ...[...eventsOf('09', 300), ...eventsOf('10', 300), ...eventsOf('11', 300)],
    ...[...eventsOf('12', 100), ...eventsOf('09', 50, 'late')],
  ];
  expect(rows.map(({ id }) => id).toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
  expect(twice(rows.map(({ record }) => record))).toEqual([]);
  expect(partitionsOf(await announced(project))).toEqual(hoursOf('09', '09', '10', '11', '12'));
});

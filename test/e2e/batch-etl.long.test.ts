/** Projects of the type batch-etl on a real Kafka and Spark. Another program than Spark reads what they write. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { installSpark } from '../../src/stack/spark.ts';
import { MONTHLY as ANSWERS } from '../scaffold/project.ts';
import { announced } from '../support/announced.ts';
import { type TestProject, finishes, test } from '../support/project.ts';

let env: Record<string, string> = {};
beforeAll(async () => {
  const { sparkSubmit } = await installSpark(() => undefined);
  env = { SPARK_SUBMIT: sparkSubmit };
});

/** A hippo that needs the summary of a month. */
const REPORT = `report:
  every: month
  needs: [{ table: nyc.flights_summary, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh`;

/** A project in the folder of a test's project, with that one's topics. @returns its folder */
async function scaffold(project: TestProject, more: Record<string, string> = {}): Promise<string> {
  const folder = join(project.directory, 'flights');
  await newProject({
    ...{ type: 'batch-etl', name: 'flights', directory: folder, given: { ...ANSWERS, ...more } },
    ...{ from: 'sample', force: true, dryRun: false },
  });
  const file = join(folder, 'hippo.yaml');
  const text = (await readFile(file, 'utf8')).replace('attempts: 1', 'attempts: 0');
  await writeFile(file, `${text}topics: { prefix: "${project.prefix}" }\nclient: { session_timeout: 6s }\n`);
  return folder;
}

async function land(folder: string, month: string, csv: string): Promise<void> {
  const partition = join(folder, `data/input/nyc.flights/yyyymm=${month}`);
  await mkdir(partition, { recursive: true });
  await writeFile(join(partition, 'part-0.csv'), csv);
}

/** Says that a month has landed, and waits for what comes of it: `summarize succeeded`. */
async function trigger(project: TestProject, folder: string, month: string): Promise<string[]> {
  const args = ['trigger', '--partition', `yyyymm=${month}`, '--wait', '--json'];
  const { stdout } = await project.hippo(args, { cwd: folder, timeout: 600_000 });
  const { wait } = JSON.parse(stdout) as { wait: { runs: { job: string; outcome: string }[] } };
  return wait.runs.map(({ job, outcome }) => `${job} ${outcome}`);
}

async function readParquet(folder: string): Promise<Record<string, unknown>[]> {
  const parts = (await readdir(folder)).filter((name) => name.endsWith('.parquet'));
  expect(parts).toHaveLength(1);
  const bytes = await readFile(join(folder, parts[0] ?? ''));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return parquetReadObjects({ file });
}

const SUMMARY = [
  { carrier: 'a', rows: 2n, mean_dep_delay: 2 },
  { carrier: 'b', rows: 3n, mean_dep_delay: 4.5 },
  { carrier: 'c', rows: 1n, mean_dep_delay: 6.5 },
];
const summaries = async (project: TestProject) =>
  (await announced(project, 'flights_summary')).map((event) => event.split(' ')[0]);

describe('a batch-etl', () => {
  test('publishes an event of its summary, and names the column that is not as expected', async ({
    makeProject,
  }) => {
    const project = await makeProject(REPORT);
    const folder = await scaffold(project);
    await project.startClient().event('owner');
    await project.startClient(env, folder).event('owner');

    expect(await trigger(project, folder, '202401')).toEqual(['summarize succeeded', 'report succeeded']);
    expect(await readParquet(join(folder, 'data/output/nyc.flights_summary/yyyymm=202401'))).toEqual(SUMMARY);
    expect(await summaries(project)).toEqual(['yyyymm=202401']);

    await land(folder, '202402', 'carrier,departure_delay\na,1.5\n');
    expect(await trigger(project, folder, '202402')).toEqual(['summarize failed']);
    const errors = (await finishes(project)).flatMap(({ errorMsg }) => errorMsg?.split('\n').at(-1) ?? []);
    expect(errors).toEqual([
      'summarize: no column dep_delay (expected: DOUBLE); not in --schema: departure_delay DOUBLE; ' +
        'in data/input/nyc.flights/yyyymm=202402',
    ]);
    expect(await summaries(project)).toEqual(['yyyymm=202401']);

    // It lands again, as expected and with a new column.
    await land(folder, '202402', 'carrier,dep_delay,origin\na,1.5,JFK\n');
    expect(await trigger(project, folder, '202402')).toEqual(['summarize succeeded', 'report succeeded']);
    expect(await summaries(project)).toEqual(['yyyymm=202401', 'yyyymm=202402']);
  });

  test('reads and writes tables of a metastore', async ({ makeProject }) => {
    const project = await makeProject(REPORT);
    const folder = await scaffold(project, { input: 'table' });
    const created = await execa('./start-spark.sh', {
      cwd: folder,
      env: { ...env, SPARK_APP: 'spark-app/create_sample.py' },
    });
    expect(created.stdout).toBe('created nyc.flights with 6 rows');
    await project.startClient(env, folder).event('owner');
    expect(await trigger(project, folder, '202401')).toEqual(['summarize succeeded']);
    const table = join(folder, 'spark-warehouse/nyc.db/flights_summary/yyyymm=202401');
    expect(await readParquet(table)).toEqual(SUMMARY);
    expect(await summaries(project)).toEqual(['yyyymm=202401']);

    const own = await execa('./test.sh', { cwd: folder, env, reject: false, all: true });
    expect(own.exitCode, own.all).toBe(0);
    expect(own.all).toMatch(/^Ran [1-9]\d* tests in /m);
  });
});

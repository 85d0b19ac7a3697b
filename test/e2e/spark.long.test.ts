/** A generated project's job on a real Spark of this machine, as the client runs it. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newProject } from '../../src/scaffold/new-project.ts';
import { installSpark } from '../../src/stack/spark.ts';
import { type Supervised, supervised, until } from '../client/host/supervised.ts';
import { MONTHLY } from '../scaffold/project.ts';

// Ten seconds a job, on a machine that does nothing else.
const PATIENCE = 600_000;
vi.setConfig({ testTimeout: PATIENCE, hookTimeout: PATIENCE });

let project = '';
let sparkSubmit = '';
beforeAll(async () => {
  project = join(await makeFolder('spark'), 'flights');
  await newProject({
    ...{ type: 'batch-etl', name: 'flights', directory: project, given: MONTHLY },
    ...{ from: 'defaults', force: false, dryRun: false },
  });
  ({ sparkSubmit } = await installSpark(() => undefined));
});
afterAll(() => rm(dirname(project), { recursive: true, force: true }));

const client = (): Promise<Supervised> =>
  supervised({ directory: project, sparkSubmit, needsResult: true, killGrace: 30_000 });

const summarize = (month: string): string[] => [
  ...['./start-spark.sh', '--table', 'nyc.flights', '--partition', `yyyymm=${month}`],
  ...['--group-by', 'carrier', '--measure', 'dep_delay'],
];

/** Works on without an end, in Python processes of Spark's own. */
const ENDLESS = `
import time
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize(range(2), 2).foreach(lambda _: (print("working", flush=True), time.sleep(1000)))
`;
import { makeFolder } from '../support/folder.ts';

describe("the template's job on a real Spark", () => {
  it('succeeds with what it has written as its result', async () => {
    await using host = await client();
    const { outcome } = await host.run({ key: '202401', argv: summarize('202401') });
    expect(outcome).toEqual({
      status: 'succeeded',
      result: {
        table: 'nyc.flights',
        partition: { yyyymm: '202401' },
        rows: 6,
        groups: 3,
        output: 'data/output/nyc.flights_summary/yyyymm=202401',
      },
    });
    const written = await readdir(join(project, 'data/output/nyc.flights_summary/yyyymm=202401'));
    expect(written.filter((file) => file.endsWith('.parquet'))).toHaveLength(1);
  });

  it("fails with Python's exit code, and says why", async () => {
    await using host = await client();
    const { outcome } = await host.run({ key: '209912', argv: summarize('209912') });
    expect(outcome).toMatchObject({ status: 'failed', exitCode: 1 });
    const lines = outcome.status === 'failed' ? outcome.error.split('\n') : [];
    expect(lines[0]).toBe('./start-spark.sh ended with exit code 1');
    expect(lines.at(-1)).toBe('summarize: nothing to read in data/input/nyc.flights/yyyymm=209912');
  });

  it('when it is cancelled, leaves neither a JVM nor a Python behind', async () => {
    await writeFile(join(project, 'spark-app/endless.py'), ENDLESS);
    await using host = await client();
    const submission = host.start({ argv: ['./start-spark.sh'], env: { SPARK_APP: 'spark-app/endless.py' } });
    await until(async () => (await host.logOf(submission)).includes('working'), PATIENCE);
    // spark-submit's JVM, the driver's Python, the daemon that starts workers, and those.
    expect((await host.survivors(submission)).length).toBeGreaterThanOrEqual(4);
    host.supervisor.cancel(submission.attemptId, 'timed out after 2 h');
    const { outcome } = await host.exitOf(submission);
    expect(outcome.status === 'cancelled' && outcome.reason.split('\n')[0]).toBe('timed out after 2 h');
    expect(await host.survivors(submission)).toEqual([]);
  });
});

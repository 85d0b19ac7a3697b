/** The Scala projects of batch-etl: compiled against the Spark that is there, they do what the Python projects do. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { installSpark } from '../../src/stack/spark.ts';
import { MONTHLY } from '../scaffold/project.ts';
import { makeFolder } from '../support/folder.ts';

let env: Record<string, string> = {};
beforeAll(async () => {
  env = { SPARK_SUBMIT: (await installSpark(() => undefined)).sparkSubmit };
});

type Input = 'files' | 'table';

async function scaffold(input: Input, language: string): Promise<string> {
  const folder = join(await makeFolder(`batch-etl-${language}`), 'flights');
  await newProject({
    ...{ type: 'batch-etl', name: 'flights', directory: folder, given: { ...MONTHLY, input, language } },
    ...{ from: 'sample', force: false, dryRun: false },
  });
  for (const [month, csv] of Object.entries(MONTHS)) {
    const partition = join(folder, `data/input/nyc.flights/yyyymm=${month}`);
    await mkdir(partition, { recursive: true });
    await writeFile(join(partition, 'part-0.csv'), csv);
  }
  return folder;
}

/** Besides the sample. Without a row of text in a column of numbers: a table has one type for all partitions. */
const MONTHS = { 202402: 'carrier,dep_delay\n007,1\n7,2\n7,\n' };

/** What a job is asked for, besides table and partition. */
const WANTED = ['--group-by', 'carrier', '--measure', 'dep_delay'];
const CASES: readonly (readonly string[])[] = [
  ['yyyymm=202401', ...WANTED, '--schema', 'carrier STRING, dep_delay DOUBLE'],
  ['yyyymm=202402', ...WANTED],
  ['yyyymm=202401', ...WANTED, '--schema', 'carrier STRING, delay DOUBLE'],
  ['yyyymm=202401', ...WANTED, '--schema', 'carrier STRING, dep_delay DATE'],
  ['yyyymm=209912', ...WANTED],
];

interface Outcome {
  exitCode: number | undefined;
  /** The result, or what is wrong. */
  said: string | undefined;
}

async function run(folder: string, partition: string, args: readonly string[]): Promise<Outcome> {
  const argv = ['--table', 'nyc.flights', '--partition', partition, ...args];
  // Spark prints what Python writes to stderr on its stdout.
  const { exitCode, all } = await execa('./start-spark.sh', argv, {
    ...{ cwd: folder, env, reject: false, all: true },
  });
  const lines = all.split('\n').filter((line) => /^(\{|summarize: )/.test(line));
  return { exitCode, said: lines.at(-1)?.replaceAll('": ', '":').replaceAll(', "', ',"') };
}

async function rowsOf(folder: string, input: Input): Promise<Record<string, Record<string, unknown>[]>> {
  const output =
    input === 'files' ? 'data/output/nyc.flights_summary' : 'spark-warehouse/nyc.db/flights_summary';
  const parts = (await readdir(join(folder, output), { recursive: true })).filter((path) =>
    /parquet$/.test(path),
  );
  const rows = parts.sort().map(async (path) => {
    const bytes = await readFile(join(folder, output, path));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return [path.split('/')[0], await parquetReadObjects({ file })] as const;
  });
  return Object.fromEntries(await Promise.all(rows)) as Record<string, Record<string, unknown>[]>;
}

describe.each<Input>(['files', 'table'])('a batch-etl in Scala, of %s', (input) => {
  it('passes its own tests', async () => {
    const folder = await scaffold(input, 'scala');
    const { exitCode, stdout, stderr } = await execa('./test.sh', { cwd: folder, env, reject: false });
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^Tests: succeeded [1-9]\d*, failed 0/m);
  });

  it('does and says what the one in Python does and says', async () => {
    const [scala, python] = [await scaffold(input, 'scala'), await scaffold(input, 'python')];
    await execa('./build.sh', { cwd: scala, env });
    if (input === 'table') {
      const app = { SPARK_APP: 'spark-app/create_sample.py' };
      await execa('./start-spark.sh', { cwd: python, env: { ...env, ...app } });
      await execa('./start-spark.sh', { cwd: scala, env: { ...env, SPARK_CLASS: 'CreateSample' } });
    }
    for (const [partition = '', ...args] of CASES) {
      const outcome = await run(scala, partition, args);
      expect(outcome, args.join(' ')).toEqual(await run(python, partition, args));
      expect(outcome.said).toMatch(outcome.exitCode === 0 ? /^\{"table":"nyc\.flights"/ : /^summarize: \S/);
    }
    expect(await rowsOf(scala, input)).toEqual(await rowsOf(python, input));
  });
});

it('is compiled against the Spark of SPARK_HOME, or the build says that there is none', async () => {
  const folder = await scaffold('files', 'scala');
  const script = 'SPARK_PRINT_LAUNCH_COMMAND=1 "$SPARK_SUBMIT" --version 2>&1';
  const { stdout } = await execa('bash', ['-c', script], { env });
  const home = /:([^:]+)\/jars\/\*/.exec(stdout)?.[1] ?? '';
  const built = await execa('./build.sh', { cwd: folder, env: { SPARK_HOME: home } });
  expect(built.stdout).toMatch(new RegExp(`^compiles with Scala 2\\.\\d+\\.\\d+ against ${home}/jars$`, 'm'));
  const none = await execa('./build.sh', { cwd: folder, env: { SPARK_HOME: '/no/spark' }, reject: false });
  expect([none.exitCode, none.stderr]).toEqual([
    1,
    expect.stringContaining('no spark-submit at /no/spark/bin/spark-submit'),
  ]);
});

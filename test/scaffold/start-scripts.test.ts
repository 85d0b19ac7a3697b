import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExecOptions, execa } from '../../src/core/exec.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { findingsOfShellcheck } from './critics.ts';
import { MONTHLY } from './project.ts';

/** Shows what a program was started with, one argument a line; its exit code is $EXIT_WITH. */
const RECORDER = `#!/usr/bin/env bash
printf '%s\\n' "$(basename "$0")" "$PWD" "$@"
exit "\${EXIT_WITH:-0}"
`;

let folder = '';
let project = '';
let recorder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-scripts-'));
  project = join(folder, 'flights');
  await newProject({
    type: 'batch-etl',
    name: 'flights',
    directory: project,
    given: MONTHLY,
    from: 'defaults',
    force: false,
    dryRun: false,
  });
  recorder = await program('tools/recorder');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function program(path: string, text = RECORDER): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

const PATH = '/usr/bin:/bin';

async function run(script: string, args: string[], env: Record<string, string>, options: ExecOptions = {}) {
  const all = { env: { PATH, ...env }, extendEnv: false, reject: false, ...options } as const;
  const { exitCode, stdout, stderr } = await execa(script, args, all);
  return { exitCode, lines: String(stdout).split('\n'), stderr: String(stderr) };
}

describe('start-client.sh', () => {
  it('becomes `hippo run` in its own folder, with all arguments as they are', async () => {
    const { lines } = await run(
      join(project, 'start-client.sh'),
      ['--a b', '*', ''],
      { HIPPO: recorder },
      { cwd: '/' },
    );
    expect(lines).toEqual(['recorder', project, 'run', '--a b', '*', '']);
  });

  it('finds its folder through a symbolic link', async () => {
    await symlink('../flights/start-client.sh', join(folder, 'tools/flights-client'));
    const { lines } = await run(join(folder, 'tools/flights-client'), [], { HIPPO: recorder });
    expect(lines).toEqual(['recorder', project, 'run']);
  });

  it('takes hippo from PATH, and hands on its exit code', async () => {
    await program('bin/hippo');
    const env = { PATH: `${folder}/bin:${PATH}`, EXIT_WITH: '3' };
    const { exitCode, lines } = await run(join(project, 'start-client.sh'), [], env);
    expect({ exitCode, lines }).toEqual({ exitCode: 3, lines: ['hippo', project, 'run'] });
  });

  it('says what to do when there is no hippo', async () => {
    const { exitCode, stderr } = await run(join(project, 'start-client.sh'), [], {});
    expect({ exitCode, stderr }).toEqual({
      exitCode: 127,
      stderr: "start-client.sh: 'hippo' is not a command. Put it on the PATH, or set HIPPO to its path.",
    });
  });
});

describe('start-spark.sh', () => {
  const script = () => join(project, 'start-spark.sh');

  it('becomes spark-submit on this machine, with the arguments after the program', async () => {
    const args = ['--table', 'nyc.flights', '--partition', 'yyyymm=$(reboot)'];
    const { lines } = await run(script(), args, { SPARK_SUBMIT: recorder }, { cwd: '/' });
    expect(lines.slice(2)).toEqual([
      ...['--master', 'local[*]', '--name', 'flights.summarize'],
      ...['--conf', 'spark.log.level=ERROR', '--conf', 'spark.ui.showConsoleProgress=false'],
      ...['--conf', 'spark.ui.enabled=false'],
      ...['spark-app/summarize.py', ...args],
    ]);
    expect(lines[1]).toBe(project);
  });

  it('takes the master, the program and the names of the attempt from the environment', async () => {
    const { lines } = await run(script(), [], {
      SPARK_SUBMIT: recorder,
      SPARK_MASTER: 'yarn',
      SPARK_APP: 'spark-app/other.jar',
      SPARK_CLASS: 'Other',
      SPARK_LOG_LEVEL: 'INFO',
      HIPPO_NAME: 'uat.flights',
      HIPPO_JOB: 'load',
      HIPPO_SPARK_TAGS: 'hippo-owner-1,hippo-attempt-2',
    });
    expect(lines.slice(2)).toEqual([
      ...['--master', 'yarn', '--name', 'uat.flights.load'],
      ...['--conf', 'spark.log.level=INFO', '--conf', 'spark.ui.showConsoleProgress=false'],
      ...['--class', 'Other', '--conf', 'spark.executorEnv.TZ=UTC'],
      ...['--conf', 'spark.yarn.tags=hippo-owner-1,hippo-attempt-2'],
      'spark-app/other.jar',
    ]);
  });

  it('hands the folders of the data on to a driver that runs in the cluster', async () => {
    const { lines } = await run(script(), ['--table', 'a.b'], {
      SPARK_SUBMIT: recorder,
      SPARK_MASTER: 'yarn',
      SPARK_DEPLOY_MODE: 'cluster',
      HIPPO_INPUT_DIR: 'hdfs:///in put',
      HIPPO_RESULT_FILE: '/a/file/of/this/machine',
    });
    expect(lines.slice(10 + 2)).toEqual([
      ...['--deploy-mode', 'cluster'],
      ...['--conf', 'spark.yarn.appMasterEnv.HIPPO_INPUT_DIR=hdfs:///in put'],
      ...['--conf', 'spark.yarn.appMasterEnv.TZ=UTC'],
      ...['spark-app/summarize.py', '--table', 'a.b'],
    ]);
  });

  it('gives Spark and its executors UTC, and leaves all options of Java to the user', async () => {
    const shows = await program(
      'zone',
      '#!/bin/sh\necho "$TZ $JDK_JAVA_OPTIONS"\nfor word; do echo "$word"; done\n',
    );
    const { lines } = await run(script(), [], {
      SPARK_SUBMIT: shows,
      SPARK_MASTER: 'spark://host:7077',
      TZ: 'Europe/Berlin',
      JDK_JAVA_OPTIONS: '-Xmx1g',
    });
    expect(lines[0]).toBe('UTC -Xmx1g');
    expect(lines).toContain('spark.executorEnv.TZ=UTC');
    expect(lines.join('\n')).not.toMatch(/java/i);
  });

  it.each([0, 1, 3, 143])("has Spark's own exit code: %i", async (code) => {
    const { exitCode } = await run(script(), [], { SPARK_SUBMIT: recorder, EXIT_WITH: String(code) });
    expect(exitCode).toBe(code);
  });

  it('looks for spark-submit in SPARK_SUBMIT, SPARK_HOME, PATH, and where hippo up has noted it', async () => {
    await program('home/bin/spark-submit');
    await program('path/spark-submit', RECORDER.replace('basename', 'realpath'));
    const noted = await program('noted/spark of hippo');
    const home = { SPARK_HOME: `${folder}/home` };
    const path = { PATH: `${folder}/path:${PATH}` };
    const found = async (env: Record<string, string>) => (await run(script(), [], env)).lines[0];

    expect(await found({ SPARK_SUBMIT: recorder, ...home, ...path })).toBe('recorder');
    expect(await found({ ...home, ...path })).toBe('spark-submit');
    expect(await found(path)).toBe(join(folder, 'path/spark-submit'));

    await mkdir(join(folder, '.hippo'), { recursive: true });
    await writeFile(
      join(folder, '.hippo/stack.json'),
      JSON.stringify({ spark: { sparkSubmit: noted } }, null, 2),
    );
    expect(await found({})).toBe('spark of hippo');
    await writeFile(
      join(folder, '.hippo/stack.json'),
      JSON.stringify({ spark: { sparkSubmit: noted, version: '4' } }),
    );
    expect(await found({})).toBe('spark of hippo');
    await writeFile(join(folder, '.hippo/stack.json'), JSON.stringify({ spark: null }));
    expect(await run(script(), [], {})).toMatchObject({
      exitCode: 127,
      stderr: 'start-spark.sh: no spark-submit. Set SPARK_HOME or SPARK_SUBMIT, or run: hippo up',
    });
    await rm(join(folder, '.hippo'), { recursive: true });
  });

  it('takes jars and the database from the environment, else from where hippo up has noted them', async () => {
    const shows = await program(
      'shows',
      '#!/bin/sh\necho "$DATABASE_URL"\nfor word; do echo "$word"; done\n',
    );
    const shown = async (env: Record<string, string>): Promise<string[]> => {
      const { lines } = await run(script(), [], { SPARK_SUBMIT: shows, ...env });
      const jars = lines.indexOf('--jars');
      return [lines[0] ?? '', ...(jars === -1 ? [] : lines.slice(jars, jars + 2))];
    };
    expect(await shown({})).toEqual(['']);
    await mkdir(join(folder, '.hippo'), { recursive: true });
    const noted = { sparkJars: '/a b.jar,/c.jar', environment: { DATABASE_URL: 'postgres://u:p@h/d' } };
    for (const indent of [0, 2]) {
      await writeFile(join(folder, '.hippo/stack.json'), JSON.stringify(noted, null, indent));
      expect(await shown({})).toEqual(['postgres://u:p@h/d', '--jars', '/a b.jar,/c.jar']);
      expect(await shown({ SPARK_JARS: '/own.jar', DATABASE_URL: 'mine' })).toEqual([
        ...['mine', '--jars', '/own.jar'],
      ]);
    }
    await rm(join(folder, '.hippo'), { recursive: true });
  });

  it('runs the job on the Python that lies beside spark-submit, unless told otherwise', async () => {
    const python = await program('venv/bin/python3');
    const env = {
      SPARK_SUBMIT: await program('venv/bin/spark-submit', '#!/bin/sh\necho "$PYSPARK_PYTHON"\n'),
    };
    expect((await run(script(), [], env)).lines).toEqual([python]);
    expect((await run(script(), [], { ...env, PYSPARK_PYTHON: 'mine' })).lines).toEqual(['mine']);
  });

  it('names the spark-submit that is not there', async () => {
    const { exitCode, stderr } = await run(script(), [], { SPARK_HOME: '/no/spark' });
    expect(exitCode).toBe(127);
    expect(stderr).toContain('no spark-submit at /no/spark/bin/spark-submit.');
  });
});

const shellcheck = spawnSync('shellcheck', ['--version']).status === 0;

describe.skipIf(!shellcheck)('shellcheck', () => {
  it('has nothing to say', async () => {
    expect(await findingsOfShellcheck(project)).toBe('');
  });
});

/** Projects of the type frontier: scaffolded, started, fed and killed; what they publish is read by another program. */
import { appendFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { describe, expect } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { announced, partitionsOf } from '../support/announced.ts';
import { HIPPO } from '../support/cli.ts';
import { query, testPostgres } from '../support/postgres.ts';
import { type TestProject, kcat, test, until } from '../support/project.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** A frontier project in the folder of a test's project: it has that one's topics. */
interface Frontier {
  folder: string;
  /** Runs one of its scripts, or a program. */
  run: (argv: readonly string[], env?: Record<string, string>) => Promise<Ended>;
}

interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

async function scaffold(project: TestProject, given: Record<string, string>): Promise<Frontier> {
  const folder = join(project.directory, 'landing');
  await newProject({
    ...{ type: 'frontier', name: 'landing', directory: folder, given },
    ...{ from: 'sample', force: true, dryRun: false },
  });
  const file = join(folder, 'hippo.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll('every: 10s', 'every: 200ms'));
  await appendFile(file, `topics: { prefix: "${project.prefix}" }\nclient: { session_timeout: 6s }\n`);
  // What `npm install` would put there.
  await symlink(MODULES, join(folder, 'node_modules'));
  return {
    folder,
    async run(argv, env = {}) {
      const [program = '', ...args] = argv;
      const all = { cwd: folder, env: { ...project.env, HIPPO, ...env }, reject: false } as const;
      const { exitCode, stdout, stderr } = await execa(program, args, all);
      return { exitCode, stdout, stderr };
    },
  };
}

const NO_JOB = 'none: { needs: [{ table: no.table }], run: ./job.sh }';
const day = (number: number): string => `yyyymmdd=202401${String(number).padStart(2, '0')}`;

describe('a frontier', () => {
  test.concurrent(
    'of a folder, a database and reports publishes one event for each landing, over kill -9',
    async ({ makeProject }) => {
      const project = await makeProject(NO_JOB);
      const port = String(await getPort());
      const { folder, run } = await scaffold(project, { source: 'folder,sql,http', port });
      const env = { DATABASE_URL: await (await testPostgres()).database(`shop-${newId()}`) };
      const land = async (script: string, number: number): Promise<void> => {
        const argv = script.endsWith('.mjs') ? [process.execPath, script] : [`./${script}`];
        expect(await run([...argv, day(number)], env)).toMatchObject({ exitCode: 0 });
      };
      const lands = (count: number) =>
        until(async () => (await announced(project)).length >= count, `${count} events`);

      await run(['./make-token.sh']);
      const first = project.startClient(env, folder);
      await first.event('owner');
      await land('land-files.sh', 1);
      await land('land-rows.mjs', 2);
      await land('report-landing.sh', 3);
      await lands(3);
      first.kill('SIGKILL');
      await first.ended;

      // What lands while no client runs; the report is sent again until one does.
      await land('land-files.sh', 4);
      await land('land-rows.mjs', 5);
      const report = land('report-landing.sh', 6);
      const second = project.startClient(env, folder);
      await second.event('owner');
      await report;
      await lands(6);

      // It lands again: another event, and a later one.
      await land('land-files.sh', 1);
      await land('land-rows.mjs', 2);
      await lands(8);
      second.kill('SIGTERM');
      expect((await second.ended).exitCode).toBe(0);
      const events = await announced(project);
      expect(partitionsOf(events)).toEqual([1, 1, 2, 2, 3, 4, 5, 6].map(day));
      expect(new Set(events).size).toBe(8);
    },
  );

  test.concurrent.for([
    ['pairs', { partition: [{ name: 'yyyymmdd', value: '20240101' }], exec_date: /^"\d{10}"$/ }],
    ['arrays', { partition_fields: ['yyyymmdd'], partition_values: ['20240101'], exec_date: /^\d{10}$/ }],
    ['scalars', { partition_fields: 'yyyymmdd', partition_values: '20240101', timestamp: /^\d{10}$/ }],
    ['legacy', { partitions: ['20240101'], exec_date: /^"\d{4}\/\d\d\/\d\dT\d\d:\d\d:\d\dZ"$/ }],
  ] as const)('publishes events in the dialect %s', async ([dialect, fields], { makeProject }) => {
    const project = await makeProject(NO_JOB);
    const { folder, run } = await scaffold(project, { dialect });
    await run(['./land-files.sh']);
    expect((await project.hippo(['run', '--once'], { cwd: folder })).exitCode).toBe(0);
    const lines = await kcat(project, 'frontier-adw');
    expect(lines).toHaveLength(1);
    const event = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(event).toMatchObject({
      ...{ db: 'shop', table: 'orders', method: 'partition' },
      announced_by: { hippo_name: 'landing', source: 'orders' },
    });
    for (const [field, value] of Object.entries(fields)) {
      if (value instanceof RegExp) expect(JSON.stringify(event[field])).toMatch(value);
      else expect(event[field]).toEqual(value);
    }
    // The README shows it, with the time of the sample.
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    const shown = /```json\n(.*)\n```/.exec(readme)?.[1] ?? '';
    expect(withoutTime(shown)).toBe(withoutTime(lines[0] ?? ''));
  });

  test.concurrent.for([
    ['folder'],
    ['folder,s3,hdfs,sql,http'],
    ['http'],
    ['s3', { s3_endpoint: '${S3_ENDPOINT}' }],
  ] as const)('passes its own tests, with %s', async ([source, more = {}], { makeProject }) => {
    const project = await makeProject(NO_JOB);
    const { run } = await scaffold(project, { source, ...more });
    const { exitCode, stdout } = await run(['./test.sh'], { HIPPO_BROKERS: '127.0.0.1:1' });
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toMatch(/# pass [1-9]|ℹ pass [1-9]/);
  });

  test.concurrent('says what is wrong', async ({ makeProject }) => {
    const project = await makeProject(NO_JOB);
    const port = String(await getPort());
    const { folder, run } = await scaffold(project, { source: 's3,hdfs,sql,http', port });
    const config = await project.hippo(['config'], { cwd: folder });
    expect(config.exitCode).toBe(2);
    for (const name of ['S3_URL', 'HDFS_NAMENODES', 'DATABASE_URL'])
      expect(config.stderr).toContain(`needs the environment variable ${name}, which is not set`);
    expect(await run(['./report-landing.sh'])).toMatchObject({
      exitCode: 2,
      stderr: 'report-landing.sh: secrets/landed-token is missing. Make it: ./make-token.sh',
    });
    await run(['./make-token.sh']);
    expect(await run(['./report-landing.sh', 'region=us'])).toMatchObject({
      exitCode: 2,
      stderr: "report-landing.sh: 'region=us' is not yyyymmdd=VALUE",
    });
  });

  test.concurrent(
    'refuses a report with a wrong token, and a database that is away',
    async ({ makeProject }) => {
      const project = await makeProject(NO_JOB);
      const port = String(await getPort());
      const { folder, run } = await scaffold(project, { source: 'sql,http', port });
      await run(['./make-token.sh']);
      const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/shop' };
      const client = project.startClient(env, folder);
      await client.event('listening');
      const { text } = await client.event('notice', ({ level }) => level === 'error');
      expect(text).toContain('source orders-sql: the database');
      await writeFile(join(folder, 'secrets', 'other'), 'not-the-token-of-it\n');
      const wrong = await run([
        'bash',
        '-c',
        'sed "s,secrets/landed-token,secrets/other,g" report-landing.sh > other.sh && bash other.sh',
      ]);
      expect(wrong.exitCode).not.toBe(0);
      expect(JSON.parse(wrong.stdout)).toMatchObject({ status: 401 });
      expect((await run(['./report-landing.sh'])).stdout).toContain('"partition":"yyyymmdd=20240101"');
      expect(partitionsOf(await announced(project))).toEqual([day(1)]);
      const once = await project.hippo(['run', '--once'], { cwd: folder, env });
      expect([once.exitCode, once.stderr]).toEqual([1, expect.stringContaining('runs')]);
      client.kill('SIGTERM');
      await client.ended;
      expect((await project.hippo(['run', '--once'], { cwd: folder, env })).exitCode).toBe(3);
      const url = await (await testPostgres()).database(`shop-${newId()}`);
      const denied = await project.hippo(['run', '--once'], {
        cwd: folder,
        env: { DATABASE_URL: url.replace(/:[^:@]*@/, ':wrong@') },
      });
      expect([denied.exitCode, denied.stderr]).toEqual([
        2,
        expect.stringContaining('password authentication failed'),
      ]);
      // Without rows, the table is not there yet.
      expect(await query(url, "SELECT 1 FROM pg_tables WHERE tablename = 'orders'")).toEqual([]);
    },
  );
});

function withoutTime(event: string): string {
  return event.replace(/("(?:exec_date|timestamp)":)("?)[^",}]*("?)/, '$1$2T$3');
}

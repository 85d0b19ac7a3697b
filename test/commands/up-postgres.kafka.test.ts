import { spawn } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isFree } from '../../src/core/free-port.ts';
import { isAlive } from '../../src/core/environment/index.ts';
import { readStackFile } from '../../src/config/stack-file.ts';
import type { DownResult } from '../../src/stack/down.ts';
import { stopPostgres } from '../../src/stack/postgres/found.ts';
import { makeEnterable } from '../../src/stack/postgres/server-user.ts';
import type { UpPostgres, UpResult } from '../../src/stack/up.ts';
import { testBrokers } from '../support/brokers.ts';
import { hippo, hippoJson } from '../support/cli.ts';
import { makeFolder } from '../support/folder.ts';
import { query } from '../support/postgres.ts';

let project: string;
let env: Record<string, string>;
beforeAll(async () => {
  // PostgreSQL's user has to enter folders that are root's.
  await makeEnterable(inject('testFolder'));
  project = await makeFolder('up-postgres');
  await makeEnterable(project);
  env = { HIPPO_BROKERS: (await testBrokers()).join(','), HIPPO_CONFIG: '', DATABASE_URL: '' };
  await writeFile(
    join(project, 'hippo.yaml'),
    'jobs: { load: { run: [./load], env: { SHOP: "${DATABASE_URL}" } } }\nstack: { with: [postgres] }\n',
  );
});
afterAll(async () => {
  await stopPostgres(join(project, '.hippo', 'postgres'));
  await rm(project, { recursive: true, force: true });
});

type Local = Extract<UpPostgres, { from: 'stack' }>;

/** What all commands have printed. */
let printed = '';

async function up(...flags: string[]): Promise<Local> {
  const { exitCode, json, stdout, stderr } = await hippoJson(['up', ...flags], { cwd: project, env });
  printed += stdout + stderr;
  expect(exitCode, stderr).toBe(0);
  const { postgres } = json as UpResult;
  expect(postgres).toMatchObject({ from: 'stack' });
  return postgres as Local;
}

const url = (): string => readStackFile(project)?.environment?.['DATABASE_URL'] ?? '';

describe('the life of a local PostgreSQL', () => {
  let first: Local;

  test('a dry run names it, and needs no $DATABASE_URL', async () => {
    const { json } = await hippoJson(['up', '--dry-run'], { cwd: project, env });
    expect(json).toMatchObject({ steps: [{ title: 'start PostgreSQL 18.4' }, {}] });
    expect(readStackFile(project)).toBeNull();
  });

  test('up starts one on loopback that takes the password in stack.json, and no other', async () => {
    first = await up();
    expect(first).toMatchObject({ started: true, place: `postgres://127.0.0.1:${first.port}/hippo` });
    await query(url(), 'CREATE TABLE kept (id integer)');
    const wrong = new URL(url());
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await expect(query(url(), 'SHOW listen_addresses')).resolves.toEqual([{ listen_addresses: '127.0.0.1' }]);
    for (const file of ['stack.json', 'postgres/password', 'postgres/postgres.log'])
      expect((await stat(join(project, '.hippo', file))).mode & 0o777).toBe(0o600);
  });

  test('hippo.yaml has its URL, with the password masked where it is printed', async () => {
    const { exitCode, stdout } = await hippo(['config', 'jobs'], { cwd: project, env });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`SHOP: postgres://hippo:***@127.0.0.1:${first.port}/hippo`);
    const doctor = await hippo(['doctor', 'stack'], { cwd: project, env });
    expect(doctor).toMatchObject({ exitCode: 0 });
    expect(doctor.stdout).toContain(`answers at ${first.place}`);
    printed += stdout + doctor.stdout;
  });

  test('a second up finds it', async () => {
    await expect(up('--with', 'postgres')).resolves.toEqual({ ...first, started: false });
  });

  test.each(['another program', "another project's PostgreSQL"])(
    'after a crash up starts it on its port, also where %s has got its id',
    async (holder) => {
      const other = spawn(
        process.execPath,
        ['-e', 'setTimeout(() => {}, 600_000)', '--', '-D', '/other/data'],
        {
          argv0: holder === 'another program' ? 'node' : '/usr/bin/postgres',
          stdio: 'ignore',
        },
      );
      try {
        const { pid } = await up();
        process.kill(pid, 'SIGKILL');
        const lock = join(first.data, 'postmaster.pid');
        await writeFile(lock, (await readFile(lock, 'utf8')).replace(/^\d+/, String(other.pid)));
        expect((await hippo(['doctor', 'stack'], { cwd: project, env })).exitCode).toBe(1);
        const again = await up();
        expect(again).toMatchObject({ started: true, port: first.port });
        await expect(query(url(), 'SELECT count(*)::int AS n FROM kept')).resolves.toEqual([{ n: 0 }]);
      } finally {
        other.kill('SIGKILL');
      }
    },
  );

  test('of several up at once one starts it', async () => {
    await stopPostgres(join(project, '.hippo', 'postgres'));
    const all = await Promise.all([up(), up(), up()]);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
  });

  test('down leaves no process and keeps the data; a second down finds nothing', async () => {
    const { pid } = await up();
    const { json, stdout } = await hippoJson(['down'], { cwd: project, env });
    printed += stdout;
    const folder = join(project, '.hippo', 'postgres');
    expect(json).toMatchObject({
      outcome: 'gone',
      postgres: { outcome: 'stopped', pid },
      postgres_data: folder,
      problem: null,
    });
    await expect(isAlive(pid)).resolves.toBe(false);
    await expect(isFree(first.port)).resolves.toBe(true);
    expect((await hippoJson(['down'], { cwd: project, env })).json).toMatchObject({ postgres: null });
    await up();
    await expect(query(url(), 'SELECT count(*)::int AS n FROM kept')).resolves.toEqual([{ n: 0 }]);
  });

  test('nothing that was printed has the password', async () => {
    const password = await readFile(join(project, '.hippo', 'postgres', 'password'), 'utf8');
    expect(password).toHaveLength(32);
    expect(printed).toContain(first.place);
    expect(printed).not.toContain(password);
  });

  test('without its password up says what is lost', async () => {
    const file = join(project, '.hippo', 'postgres', 'password');
    const password = await readFile(file, 'utf8');
    await rm(file);
    const { exitCode, json } = await hippoJson(['up'], { cwd: project, env });
    await writeFile(file, password, { mode: 0o600 });
    expect(exitCode).toBe(2);
    expect(json).toMatchObject({ error: { message: 'the password of the local PostgreSQL is lost' } });
  });

  test('a purge removes the data with the server', async () => {
    const { json } = await hippoJson(['down', '--purge', '--yes'], { cwd: project, env });
    expect(json as DownResult).toMatchObject({ postgres: { outcome: 'stopped' }, postgres_data: null });
  });
});

test('where $DATABASE_URL is set none is started, and one that refuses is an error', async () => {
  const database = await up();
  const given = { ...env, DATABASE_URL: url() };
  const { exitCode, json } = await hippoJson(['up'], { cwd: project, env: given });
  expect({ exitCode, json }).toMatchObject({
    exitCode: 0,
    json: { postgres: { from: 'environment', place: database.place, version: '18.4' } },
  });
  const wrong = new URL(url());
  wrong.password = 'swordfish';
  const refused = await hippo(['up'], { cwd: project, env: { ...env, DATABASE_URL: wrong.href } });
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain(`the PostgreSQL at ${database.place} cannot be used`);
  expect(refused.stderr).toContain('password authentication failed');
  expect(refused.stdout + refused.stderr).not.toContain('swordfish');
});

test('a part that there is not is refused, and what is allowed is named', async () => {
  const { exitCode, stderr } = await hippo(['up', '--with', 'postgres,redis'], { cwd: project, env });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--with must be one of postgres; it is "redis"');
});

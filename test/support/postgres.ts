/**
 * A real PostgreSQL for tests of the projects kafka and long, below their folder: see {@link ./folder-setup.ts}. It goes when
 * vitest ends, interrupted or not.
 */
import { chmod, chown, cp, link, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import pg from 'pg';
import { inject } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { makeFolder } from './folder.ts';
import { postgresHome } from './places.ts';

export interface Postgres {
  port: number;
  /** Of the superuser, with the password: `postgres://…/postgres`. */
  url: string;
  /** Makes an empty database of the test's own. @returns its URL, as {@link url} */
  database(name: string): Promise<string>;
  /** Ends it as a crash does; what was committed is there after {@link start}. */
  kill(): Promise<void>;
  /** On the same port, with the same data. */
  start(): Promise<void>;
}

export const POSTGRES_PASSWORD = 'correct horse:battery/staple@1';

/** PostgreSQL refuses to run as root: nobody's user and group are there on every Linux. */
const NOBODY = 65_534;

let running: Promise<Postgres> | undefined;

/** One server for all tests of a file, started when the first one asks for it. */
export function testPostgres(): Promise<Postgres> {
  return (running ??= startPostgres());
}

/** A server of the test's own. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await makeFolder('postgres');
  const [home, data] = [join(folder, 'home'), join(folder, 'data')];
  await linkPrograms(home);
  await mkdir(data, { mode: 0o700 });
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const password = join(folder, 'password');
  await writeFile(password, POSTGRES_PASSWORD);
  if ('uid' in user) {
    // The server has to reach its files through folders that are root's.
    for (const path of [inject('testFolder'), folder]) await chmod(path, 0o711);
    await chown(data, NOBODY, NOBODY);
  }
  const setUp = ['-D', data, '-U', 'postgres', '--no-locale', '-E', 'UTF8', '--no-sync'];
  await execa(join(home, 'bin', 'initdb'), [...setUp, '-A', 'scram-sha-256', `--pwfile=${password}`], {
    ...user,
    cwd: '/',
  });
  const port = await getPort();
  const url = urlOf(port, 'postgres');
  let server: ChildProcess | undefined;
  const started: Postgres = {
    port,
    url,
    async database(name) {
      await query(url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      return urlOf(port, name);
    },
    async kill() {
      const ended = new Promise((resolve) => server?.once('exit', resolve));
      // SIGQUIT: without a shutdown, so that the next start recovers from the log; its children end with it.
      server?.kill('SIGQUIT');
      await ended;
    },
    async start() {
      server = spawn(join(home, 'bin', 'postgres'), [...OPTIONS, '-D', data, '-p', String(port)], {
        ...user,
        cwd: '/',
        stdio: 'ignore',
      });
      server.unref();
      await ready(url);
    },
  };
  await started.start();
  return started;
}

/** Runs one statement, with the values of its parameters. @returns the rows */
export async function query(url: string, sql: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Only on loopback, without a socket in /tmp; what a crash of the machine would lose does not matter to a test. */
const OPTIONS = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=16MB'],
].flatMap((setting) => ['-c', setting]);

function urlOf(port: number, database: string): string {
  return `postgres://postgres:${encodeURIComponent(POSTGRES_PASSWORD)}@127.0.0.1:${port}/${database}`;
}

async function ready(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await query(url, 'SELECT 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

/** The programs, with the links that the package's install script would make; in a folder that any user may enter. */
async function linkPrograms(home: string): Promise<void> {
  const native = postgresHome();
  const files = await readdir(native, { recursive: true, withFileTypes: true });
  for (const entry of files) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(home, from.slice(native.length));
    await mkdir(dirname(to), { recursive: true });
    await link(from, to).catch(() => cp(from, to));
  }
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(home, target.replace(/^native\//, ''));
    await symlink(source.split('/').at(-1) ?? '', path).catch(() => undefined);
  }
}

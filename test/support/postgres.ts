/**
 * A real PostgreSQL for tests of the projects kafka and long, below their folder: see {@link ./folder-setup.ts}. It goes when
 * vitest ends, interrupted or not.
 */
import pg from 'pg';
import { inject } from 'vitest';
import { isAlive } from '../../src/core/environment/index.ts';
import { poll } from '../../src/core/deadline.ts';
import { makeEnterable } from '../../src/stack/postgres/server-user.ts';
import { startPostgres as startServer } from '../../src/stack/postgres/server.ts';
import { makeFolder } from './folder.ts';

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

/** What a crash of the machine would lose does not matter to a test. */
const SETTINGS = { fsync: 'off', shared_buffers: '16MB' };

let running: Promise<Postgres> | undefined;

/** One server for all tests of a file, started when the first one asks for it. */
export function testPostgres(): Promise<Postgres> {
  return (running ??= startPostgres());
}

/** A server of the test's own. */
export async function startPostgres(): Promise<Postgres> {
  // The server's user has to reach its files through folders that are root's.
  await makeEnterable(inject('testFolder'));
  const directory = await makeFolder('postgres');
  const start = () =>
    startServer({
      directory,
      user: 'postgres',
      password: POSTGRES_PASSWORD,
      database: 'postgres',
      settings: SETTINGS,
    });
  let server = await start();
  const { port, url } = server;
  return {
    port,
    url,
    async database(name) {
      await query(url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      return new URL(encodeURIComponent(name), url).href;
    },
    async kill() {
      // SIGQUIT: without a shutdown, so that the next start recovers from the log; its children end with it.
      process.kill(server.pid, 'SIGQUIT');
      await poll(async () => !(await isAlive(server.pid)), { every: 20, millis: 60_000 });
    },
    async start() {
      server = await start();
    },
  };
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

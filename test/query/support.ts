/** A query service of a test: a folder with tables, a hippo.yaml, and the application on a free port. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { DEFAULT_LIMITS, createApp } from '../../src/http/app/index.ts';
import { type Queries, openQueries } from '../../src/query/index.ts';
import { duckdb } from '../support/duckdb.ts';

export interface Project {
  folder: string;
  /** Writes hippo.yaml. @param queries the section `queries`, indented by two */
  configure(queries: string): Promise<void>;
  /** Overwrites a partition as Spark does: the old files go, new ones with other names come. */
  write(path: string, select: string): Promise<void>;
  open(options?: { env?: NodeJS.ProcessEnv }): Promise<Queries>;
  start(options?: { env?: NodeJS.ProcessEnv }): Promise<Service>;
}

export interface Service {
  url: string;
  queries: Queries;
  notices: string[];
  log: string[];
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  land(table: string, partition: Record<string, string>, execDate?: number): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  bytes: Uint8Array;
  /** Of JSON. */
  body: { rows?: Record<string, unknown>[]; next?: string | null; detail?: string } & Record<string, unknown>;
}

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Old enough to be at rest. */
export const LONG_AGO = new Date('2026-01-01T00:00:00Z');

export async function newProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-query-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  let written = 0;
  const notices: string[] = [];
  const open: Project['open'] = async ({ env = {} } = {}) =>
    openQueries({
      loaded: await loadConfig({ cwd: folder, env: {} }),
      env: { UV_THREADPOOL_SIZE: '16', ...env },
      notice: (level, text) => notices.push(`${level}: ${text}`),
    });
  return {
    folder,
    configure: (queries) =>
      writeFile(join(folder, 'hippo.yaml'), `name: shop\nqueries:\n${queries}\n  timeout: 60s\n`),
    write: async (path, select) => {
      const target = join(folder, path);
      await rm(target, { recursive: true, force: true });
      await mkdir(target, { recursive: true });
      written += 1;
      await duckdb(`COPY (${select}) TO '${target}/part-${written}.parquet' (FORMAT parquet)`);
    },
    open,
    start: async (options) => {
      const queries = await open(options);
      const log: string[] = [];
      const app = await createApp({
        host: '127.0.0.1',
        port: 0,
        setting: 'serve',
        title: 'test',
        description: 'Queries of a test.',
        version: '1',
        keys: null,
        limits: { ...DEFAULT_LIMITS, notice: 0, lateness: 60_000, answer: 60_000 },
        readiness: () => queries.readiness(),
        log: { write: (line) => log.push(line) },
      });
      await queries.addTo(app);
      const url = `http://${await app.listen()}`;
      let isStopped = false;
      const stop = async (): Promise<void> => {
        if (isStopped) return;
        isStopped = true;
        await app.drain();
        await queries.close();
      };
      ends.push(stop);
      return {
        ...{ url, queries, notices, log, stop },
        get: (path, headers = {}) => ask(`${url}${path}`, { headers }),
        land: (table, partition, execDate = 1_767_225_600) =>
          ask(`${url}/reload`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(eventOf(table, partition, execDate)),
          }),
      };
    },
  };
}

export function eventOf(table: string, partition: Record<string, string>, execDate: number): object {
  const [db, name] = table.split('.');
  return {
    table: name,
    db,
    partition: Object.entries(partition).map(([level, value]) => ({ name: level, value })),
    method: 'overwrite_partition',
    exec_date: String(execDate),
  };
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const bytes = await response.bytes();
  const text = Buffer.from(bytes).toString();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    bytes,
    body: isJson && text !== '' ? (JSON.parse(text) as Answer['body']) : {},
  };
}

/** The orders of a day, four rows. */
export function ordersOf(first: number): string {
  return `SELECT (${first} + i)::INTEGER AS id, 'c' || i AS customer, (i * 1.25)::DECIMAL(18,2) AS amount FROM range(4) t(i)`;
}

/** A table with two days, and a route over it. */
export const ORDERS = `
  tables:
    shop.orders: { location: data/orders, partition: { dt: date } }
  routes:
    orders:
      path: /orders
      sql: |
        SELECT id, dt, customer, amount
        FROM shop.orders
        WHERE $day IS NULL OR dt = $day
        ORDER BY id
      parameters: { day: { type: date } }
`.slice(1);

export async function ordersProject(queries = ORDERS): Promise<Project> {
  const project = await newProject();
  await project.configure(queries);
  await project.write('data/orders/dt=2026-01-01', ordersOf(1));
  await project.write('data/orders/dt=2026-01-02', ordersOf(5));
  return project;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { execa } from '../src/core/exec.ts';
import type { Measure, Stage, Suite } from './harness.ts';

const ROWS = 10_000_000;
const PARTITIONS = 300;
const ROUNDS = 15;
/** What is to be reached: milliseconds for one partition, and a multiple of Python's time for all of them. */
const ONE = 10;
const ALL = 1.2;

const SQL = {
  one: `SELECT count(*)::INTEGER AS orders, sum(amount) AS amount FROM shop.orders WHERE dt = $day`,
  all: `SELECT customer, count(*)::INTEGER AS orders, sum(amount) AS amount FROM shop.orders GROUP BY customer ORDER BY customer`,
} as const;

/** hippo serve, over HTTP, beside the Python package of the same DuckDB in its own process: the same files and SQL, by turns. */
export const query: Suite = {
  name: 'query',
  async measures(stage: Stage): Promise<Measure[]> {
    const folder = join(stage.folder, 'queries');
    await writeTable(folder, stage);
    const python = await startPython(folder);
    const service = await startServe(stage, folder);
    try {
      const ours = { one: [] as number[], all: [] as number[] };
      const peer = { one: [] as number[], all: [] as number[] };
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const kind of ['one', 'all'] as const) {
          // A day is asked for once, so that no answer was made before.
          const day = dayOf((round * 37) % PARTITIONS);
          const mine = await service.ask(kind === 'one' ? `/one?day=${day}` : '/all');
          const theirs = await python?.ask({ kind, day });
          if (round === 0) continue;
          ours[kind].push(mine);
          if (theirs !== undefined) peer[kind].push(theirs);
        }
      }
      return [
        measure(`one of ${PARTITIONS} partitions, at most ${ONE} ms`, ours.one, peer.one),
        measure(`an aggregate of ${ROWS / 1e6}M rows, at most ${ALL} × Python`, ours.all, peer.all),
        {
          what: 'resident memory after it',
          ours: `${service.memory()} MB`,
          peer: python === null ? '' : `${python.memory()} MB`,
        },
      ];
    } finally {
      await service.stop();
      await python?.stop();
    }
  },
};

function measure(what: string, ours: readonly number[], peer: readonly number[]): Measure {
  const [mine, theirs] = [median(ours), median(peer)];
  const ratio = peer.length === 0 ? '' : ` (${(mine / theirs).toFixed(2)} ×)`;
  return {
    what,
    ours: `${mine.toFixed(1)} ms${ratio}`,
    peer:
      peer.length === 0
        ? 'not installed: set BENCH_PYTHON to a Python with duckdb 1.5.6'
        : `${theirs.toFixed(1)} ms`,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

function dayOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10);
}

/** Sorted by the partition, and with one thread: else DuckDB writes a file for each piece of each partition. */
async function writeTable(folder: string, stage: Stage): Promise<void> {
  stage.say(`writing ${ROWS} rows in ${PARTITIONS} partitions`);
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`COPY (
    SELECT DATE '2026-01-01' + (i // ${Math.ceil(ROWS / PARTITIONS)})::INTEGER AS dt, i::BIGINT AS order_id,
           'c' || (i % 1000) AS customer, (i % 10000 / 7)::DECIMAL(18,2) AS amount
    FROM range(${ROWS}) t(i) ORDER BY i) TO '${folder}/data' (FORMAT parquet, PARTITION_BY (dt))`);
  connection.closeSync();
  instance.closeSync();
  const routes = Object.entries(SQL).map(
    ([name, sql]) => `    ${name}:
      path: /${name}
      sql: ${sql}
      ${name === 'one' ? 'answer: row\n      parameters: { day: { type: date, required: true } }' : 'page: { size: 1000 }'}`,
  );
  await writeFile(
    join(folder, 'hippo.yaml'),
    `name: bench\nqueries:\n  tables: { shop.orders: { location: data, partition: { dt: date } } }\n  threads: 2\n  timeout: 60s\n  routes:\n${routes.join('\n')}\n`,
  );
}

interface Peer<T> {
  /** @returns milliseconds */
  ask(what: T): Promise<number>;
  /** MB. */
  memory(): number;
  stop(): Promise<void>;
}

async function startServe({ hippo, env }: Stage, folder: string): Promise<Peer<string>> {
  const [program = '', ...args] = hippo;
  const child = spawn(program, [...args, 'serve'], {
    cwd: folder,
    env: { ...process.env, ...env, UV_THREADPOOL_SIZE: '16', HIPPO_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let url = '';
  for await (const line of createInterface(child.stdout)) {
    const { address } = JSON.parse(line) as { address?: string };
    if (address === undefined) continue;
    url = `http://${address}`;
    break;
  }
  if (url === '') throw new Error('hippo serve has ended before it listened');
  child.stdout.resume();
  return {
    ask: async (path) => {
      const began = performance.now();
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
      return performance.now() - began;
    },
    ...processOf(child),
  };
}

const PYTHON = `
import json, sys, time, duckdb
sql = json.loads(sys.argv[1])
db = duckdb.connect(config={"threads": 2, "memory_limit": "512MiB"})
db.execute("CREATE SCHEMA shop")
db.execute("CREATE VIEW shop.orders AS SELECT * FROM read_parquet('data/*/*.parquet', hive_partitioning = true, hive_types = {'dt': DATE})")
print(json.dumps(duckdb.__version__), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    began = time.perf_counter()
    if asked["kind"] == "one":
        db.execute(sql["one"], {"day": asked["day"]}).fetchall()
    else:
        db.execute(sql["all"]).fetchall()
    print(json.dumps((time.perf_counter() - began) * 1000), flush=True)
`;

/** @returns null: there is no Python with the package of the same version */
async function startPython(folder: string): Promise<Peer<{ kind: 'one' | 'all'; day: string }> | null> {
  const program = process.env['BENCH_PYTHON'] ?? 'python3';
  const { exitCode } = await execa(program, ['-c', 'import duckdb; assert duckdb.__version__ == "1.5.6"'], {
    reject: false,
  });
  if (exitCode !== 0) return null;
  const child = spawn(program, ['-c', PYTHON, JSON.stringify(SQL)], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  return {
    ask: async (asked) => {
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      return Number((await lines.next()).value);
    },
    ...processOf(child),
  };
}

function processOf(child: ChildProcess): Pick<Peer<never>, 'memory' | 'stop'> {
  return {
    memory: () => {
      const [, kilobytes] =
        /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8')) ?? [];
      return Math.round(Number(kilobytes) / 1_000);
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { findProgram } from '../src/core/environment/index.ts';
import { type ModelVersion, type WrittenVersion, writeModel } from '../test/support/model.ts';
import type { Measure, Stage, Suite } from './harness.ts';
import { type Load, type LoadResult, openLoop, quantile } from './open-loop.ts';

const RATE = 500;
const SECONDS = 10;
const SWAPS = 20;
/** What is to be reached. */
const P50 = 1;
const P99_OF_BARE = 2;
/** A rate is kept while its p99 is below, milliseconds. */
const KEPT = 50;
const VERSIONS = ['20260101T000000Z-000001', '20260102T000000Z-000002'] as const;
const ITEMS = 100_000;
const RANK = 64;
const USERS = 1_000;

/** hippo serve beside a bare route of Fastify, each on one core, asked at a fixed rate. */
export const serve: Suite = {
  name: 'serve',
  async measures(stage: Stage): Promise<Measure[]> {
    const bare = await startBare(stage);
    try {
      return [
        ...(await classifier(stage, bare)),
        ...(await sampleRecommender(stage, bare)),
        ...(await largeRecommender(stage, bare)),
      ];
    } finally {
      await bare.stop();
    }
  },
};

const rows = Array.from({ length: 10 }, (_, row) => [5 + (row % 3), 3, 1 + row, 0.2 * row]);
const inputs = [{ name: 'input', shape: [1, 4], datatype: 'FP64', data: [5, 3, 1.4, 0.2] }];
const OF_IRIS: Readonly<Record<string, Load['ask']>> = {
  'GET /features/…/class': (n) => ({ path: `/features/${5 + (n % 3)},3,1.4,0.2/class` }),
  'GET /features/…/probs': (n) => ({ path: `/features/${5 + (n % 3)},3,1.4,0.2/probs` }),
  'POST /class, 10 rows': () => ({ path: '/class', body: { rows } }),
  'POST /probs, 10 rows': () => ({ path: '/probs', body: { rows } }),
  'POST /v2/models/iris/infer': () => ({ path: '/v2/models/iris/infer', body: { inputs } }),
};
const ofUsers = (users: number): Readonly<Record<string, Load['ask']>> => ({
  'GET /users/…/top/10': (n) => ({ path: `/users/u${n % users}/top/10` }),
  'POST /top, 1 user': (n) => ({ path: '/top', body: { users: [`u${n % users}`], count: 10 } }),
});

async function classifier(stage: Stage, bare: Server): Promise<Measure[]> {
  const service = await startServe(stage, 'iris', { kind: 'classifier' });
  try {
    return [
      ...(await routes(stage, service, bare, OF_IRIS)),
      await swapping(stage, service, bare, 'GET /features/…/class', OF_IRIS),
      memory(service, bare, 'resident memory of hippo serve with a classifier, after all of this'),
    ];
  } finally {
    await service.stop();
  }
}

async function sampleRecommender(stage: Stage, bare: Server): Promise<Measure[]> {
  const service = await startServe(stage, 'films', { kind: 'recommender' });
  try {
    const asks = ofUsers(30);
    return [
      ...(await routes(stage, service, bare, asks)),
      await swapping(stage, service, bare, 'GET /users/…/top/10', asks),
    ];
  } finally {
    await service.stop();
  }
}

async function largeRecommender(stage: Stage, bare: Server): Promise<Measure[]> {
  const names = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, row) => `${prefix}${row}`);
  const service = await startServe(stage, 'films', {
    kind: 'recommender',
    users: names('u', USERS),
    items: names('i', ITEMS),
    rank: RANK,
    known: Array.from({ length: USERS }, (_, user) =>
      Array.from({ length: 20 }, (__, at) => user + at * 1_000),
    ),
  });
  const asks = ofUsers(USERS);
  const what = `ALS, ${ITEMS.toLocaleString('en')} items × ${RANK}`;
  try {
    const measures = await routes(stage, service, bare, asks, `${what}: `);
    const swaps = await swapping(stage, service, bare, 'GET /users/…/top/10', asks, `${what}: `);
    const size = memory(service, bare, `${what}: resident memory`);
    const most = await largestRate(stage, service, asks['GET /users/…/top/10'] as Load['ask']);
    return [
      ...measures,
      swaps,
      size,
      {
        what: `${what}: largest rate with a p99 below ${KEPT} ms, none failed`,
        ours: `${most}/s`,
        peer: '–',
      },
    ];
  } finally {
    await service.stop();
  }
}

/** Each route and the bare one by turns, after a second of warming up. */
async function routes(
  stage: Stage,
  service: Service,
  bare: Server,
  asks: Readonly<Record<string, Load['ask']>>,
  prefix = '',
): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const [name, ask] of Object.entries(asks)) {
    stage.say(`${prefix}${name}, ${RATE}/s`);
    await openLoop({ url: service.url, ask, rate: RATE, seconds: 1 });
    await openLoop({ url: bare.url, ask, rate: RATE, seconds: 1 });
    const beside = await openLoop({ url: bare.url, ask, rate: RATE, seconds: SECONDS });
    const ours = await openLoop({ url: service.url, ask, rate: RATE, seconds: SECONDS });
    measures.push(measure(`${prefix}${name}`, ours, beside));
  }
  return measures;
}

async function swapping(
  stage: Stage,
  service: Service,
  bare: Server,
  name: string,
  asks: Readonly<Record<string, Load['ask']>>,
  prefix = '',
): Promise<Measure> {
  const what = `${prefix}${name}, during ${SWAPS} swaps`;
  stage.say(what);
  const ask = asks[name] as Load['ask'];
  const beside = await openLoop({ url: bare.url, ask, rate: RATE, seconds: SECONDS });
  // As long as the swaps take: a large model is loaded in more time than there is between two.
  const stop = new AbortController();
  const results: LoadResult[] = [];
  const load = (async () => {
    while (!stop.signal.aborted)
      results.push(await openLoop({ url: service.url, ask, rate: RATE, seconds: 2 }));
  })();
  for (let swap = 1; swap <= SWAPS; swap += 1) {
    await service.serve(VERSIONS[swap % 2] as string);
    await sleep(200);
  }
  stop.abort();
  await load;
  const all = {
    latencies: Float64Array.from(results.flatMap(({ latencies }) => [...latencies])).sort(),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
  return measure(what, all, beside);
}

function measure(what: string, ours: LoadResult, beside: LoadResult): Measure {
  const isReached =
    quantile(ours.latencies, 0.5) <= P50 &&
    quantile(ours.latencies, 0.99) <= P99_OF_BARE * quantile(beside.latencies, 0.99) &&
    ours.failed === 0;
  const text = ({ latencies, failed }: LoadResult): string =>
    `p50 ${millis(quantile(latencies, 0.5))}, p99 ${millis(quantile(latencies, 0.99))}, ${failed} failed of ${latencies.length}`;
  return { what, ours: `${text(ours)} ${isReached ? '✓' : '✗'}`, peer: `bare route: ${text(beside)}` };
}

async function largestRate(stage: Stage, { url }: Server, ask: Load['ask']): Promise<number> {
  let most = 0;
  for (let rate = RATE; ; rate += RATE) {
    stage.say(`${rate}/s`);
    const { latencies, failed } = await openLoop({ url, ask, rate, seconds: 5 });
    if (failed > 0 || quantile(latencies, 0.99) > KEPT) return most;
    most = rate;
  }
}

function memory(service: Service, bare: Server, what: string): Measure {
  return { what, ours: `${rss(service)} MB`, peer: `bare route: ${rss(bare)} MB` };
}

function rss({ pid }: Server): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1_024);
}

interface Server {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

interface Service extends Server {
  /** Resolves when that version answers. */
  serve(version: string): Promise<void>;
}

async function startServe(stage: Stage, model: string, options: ModelVersion): Promise<Service> {
  const folder = join(stage.folder, `serve-${model}-${options.kind}-${performance.now()}`);
  await mkdir(folder);
  const written = new Map<string, WrittenVersion>();
  for (const [index, version] of VERSIONS.entries())
    written.set(version, await writeModel(join(folder, 'models'), { ...options, version, seed: index + 1 }));
  const file = join(folder, 'models.json');
  const point = async (version: string): Promise<void> => {
    const { location, manifestSha256 } = written.get(version) as WrittenVersion;
    const serving = { version, manifest_sha256: manifestSha256 };
    await writeFile(`${file}.draft`, JSON.stringify({ models: { [model]: { location, serving } } }));
    await rename(`${file}.draft`, file);
  };
  await point(VERSIONS[0]);
  await writeFile(join(folder, 'hippo.yaml'), 'name: bench\nserve: { limits: { rate: 1000000 } }\n');
  const server = await start([...stage.hippo, 'serve'], folder, { ...stage.env, HIPPO_MODEL_FILE: file });
  const answers = async (version: string): Promise<void> => {
    for (;;) {
      const found = await fetch(`${server.url}/readyz`).catch(() => null);
      if (found?.headers.get('hippo-models') === `${model}=${version}`) return;
      await sleep(5);
    }
  };
  await answers(VERSIONS[0]);
  return {
    ...server,
    async serve(version) {
      await point(version);
      await answers(version);
    },
  };
}

/** What a framework costs by itself: each of the paths answers with a short constant. */
async function startBare(stage: Stage): Promise<Server> {
  const script = `
    import Fastify from 'fastify';
    const app = Fastify();
    const answer = async () => ({ model: 'iris', model_version: '20260101T000000Z-000001', class: 'setosa' });
    app.get('/features/:values/:what', answer);
    app.get('/users/:user/top/:count', answer);
    for (const path of ['/class', '/probs', '/top', '/v2/models/iris/infer']) app.post(path, answer);
    app.get('/readyz', answer);
    await app.listen({ host: '127.0.0.1', port: Number(process.env.HIPPO_PORT) });`;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const server = await start([process.execPath, '--input-type=module', '-e', script], root, stage.env);
  while (
    !(await fetch(`${server.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(20);
  return server;
}

/** On one core, where that can be asked for: the client has the others. */
async function start(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Server> {
  const port = await getPort({ host: '127.0.0.1' });
  const pinned = findProgram('taskset', process.env) === undefined ? [] : ['taskset', '-c', '0'];
  const [program = '', ...args] = [...pinned, ...argv];
  const child: ChildProcess = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env, HIPPO_PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function millis(value: number): string {
  return `${value.toFixed(2)} ms`;
}

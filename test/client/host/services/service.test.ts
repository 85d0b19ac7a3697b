import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../../src/config/schema.ts';
import type { ClientEvent } from '../../../../src/client/host/client-event.ts';
import { startGuard } from '../../../../src/client/host/guard.ts';
import type { ServiceTold } from '../../../../src/client/machine/index.ts';
import type { ServedModel } from '../../../../src/client/host/model-files.ts';
import { groupIsAlive } from '../../../../src/client/host/process-group.ts';
import { Lease } from '../../../../src/client/host/services/lease.ts';
import { type Desired, Service } from '../../../../src/client/host/services/service.ts';

/** Waits for as long as a slow machine may take. */
const until = (isSo: () => unknown): Promise<unknown> => vi.waitUntil(isSo, { timeout: 60_000 });

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Made {
  service: Service;
  notices: string[];
  /** What it says of itself. */
  words: ServiceTold[];
  directory: string;
  run: (desired?: Desired) => void;
  status: (status: string) => Promise<unknown>;
  noticed: (text: string) => Promise<unknown>;
  stop: () => Promise<void>;
}

/** A service of its own project, whose program is this script of a shell. */
async function make(
  script: string,
  config: object = {},
  lease: { session: number } | null = null,
  models: readonly ServedModel[] = [],
): Promise<Made> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'hippo-service-'));
  const { api } = parseConfig({
    services: { api: { run: ['/bin/sh', '-c', script], backoff: 0.05, ...config } },
  }).services;
  if (api === undefined) throw new Error('no service');
  const notices: string[] = [];
  const words: ServiceTold[] = [];
  const guard = startGuard(1_000);
  const own = lease === null ? null : new Lease(guard, lease.session, 1_000);
  own?.renew(performance.now());
  const service = new Service({
    name: 'api',
    config: api,
    models,
    onModels: () => undefined,
    hippo: 'shop',
    owner: `test/${folder.path}`,
    directory: folder.path,
    sparkSubmit: null,
    environment: {},
    yarn: parseConfig({}).yarn,
    killGrace: 1_000,
    guard,
    lease: own,
    isOwner: () => Promise.resolve(true),
    announce: () => Promise.resolve(),
    tell: (told) => {
      words.push(told);
      return Promise.resolve();
    },
    log: (event: ClientEvent) => event.event === 'notice' && notices.push(`${event.level}: ${event.text}`),
  });
  const end = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
  };
  closing.push(async () => {
    await stop();
    await service.close();
    guard.dismiss();
    await folder.remove();
  });
  return {
    service,
    notices,
    words,
    directory: folder.path,
    run(desired = { state: {} }) {
      service.desire(desired);
      running = service.run(end.signal, '7');
    },
    status: (status) => until(() => service.view.status === status),
    noticed: (text) => until(() => notices.some((notice) => notice.includes(text))),
    stop,
  };
}

const PAUSE = { at: 1, by: 'ann', reason: 'upgrade' };

it('is ready when it has printed the line, and its log has what it prints', async () => {
  const { service, run, status, directory, stop } = await make('echo up $HIPPO_EPOCH; exec sleep 1000', {
    ready: { line: '^up 7$' },
  });
  run();
  await status('ready');
  const { pid } = service.view;
  await stop();
  expect(service.view).toMatchObject({ status: 'stopped', pid: null, restarts: 0 });
  expect(groupIsAlive(pid ?? 0)).toBe(false);
  await service.close();
  const log = await readFile(join(directory, '.hippo', 'logs', 'api', `${process.pid}.log`), 'utf8');
  expect(log).toBe(`hippo: started as process ${pid}\nup 7\n`);
});

it('is ready while its port answers', async () => {
  const listen = `exec ${process.execPath} -e 'require("http").createServer((q,a)=>a.writeHead(q.url==="/ok"?200:500).end()).listen(process.env.HIPPO_PORT,"127.0.0.1")'`;
  const fine = await make(listen, { port: 'auto', ready: { http: '/ok' } });
  fine.run();
  await fine.status('ready');
  expect(fine.service.view.port).toBeGreaterThan(0);
  const open = await make(listen, { port: 'auto', ready: { tcp: true } });
  open.run();
  await open.status('ready');
});

it('starts again when it ends, and is given up after so many ends, with its last lines', async () => {
  const made = await make('echo broken >&2; exit 3', { give_up: { after: 3, within: '1m' } });
  made.run();
  await made.status('given-up');
  expect(made.notices).toEqual([
    'warning: service api: it ended with exit code 3; it is started again in 50 ms\nbroken',
    'warning: service api: it ended with exit code 3; it is started again in 100 ms\nbroken',
    'error: service api: it ended with exit code 3; that is 3 times within 1 min: it stays down on this client until hippo job resume api\nbroken',
  ]);
  expect(made.service.view).toMatchObject({ restarts: 2, error: 'it ended with exit code 3' });
  made.service.desire({ state: { resumed: { at: 5 } } });
  await until(() => made.notices.length === 6);
});

it('says that it keeps ending, then that it is given up, and that it is well after it has been ready for long enough', async () => {
  const made = await make('[ -e fixed ] && exec sleep 1000; exit 3', {
    give_up: { after: 4, within: '3s' },
  });
  made.run();
  await made.status('given-up');
  expect(made.words).toEqual([
    {
      service: 'api',
      condition: 'crash-loop',
      text: 'api has ended 3 times within 3 s: it ended with exit code 3',
    },
    {
      service: 'api',
      condition: 'gave-up',
      text: 'api has ended 4 times within 3 s, and stays down: it ended with exit code 3',
    },
  ]);
  await writeFile(join(made.directory, 'fixed'), '');
  made.service.desire({ state: { resumed: { at: 5 } } });
  await made.status('ready');
  expect(made.words).toHaveLength(2);
  await until(() => made.words.length > 2);
  expect(made.words.slice(2)).toEqual([
    { service: 'api', condition: 'fine', text: 'api has been ready for 3 s' },
  ]);
  made.service.tellAgain();
  expect(made.words).toHaveLength(4);
});

it('that cannot be started is told why', async () => {
  const made = await make('', { run: './gone.sh', give_up: { after: 1 } });
  made.run();
  await made.status('given-up');
  expect(made.notices[0]).toContain('it could not be started: ./gone.sh does not exist');
});

it('a pause stops it with all that it started, and a resume starts it', async () => {
  const made = await make('sleep 1000 & echo $! > child; wait');
  made.run();
  await until(() => existsSync(join(made.directory, 'child')));
  const { pid } = made.service.view;
  made.service.desire({ pause: PAUSE, state: {} });
  await made.status('paused');
  expect(groupIsAlive(pid ?? 0)).toBe(false);
  expect(made.notices).toEqual(['info: service api: stopped: paused by ann: upgrade']);
  made.service.desire({ state: { resumed: { at: 9 } } });
  await made.status('ready');
  expect(made.service.view.restarts).toBe(0);
});

it('that is paused when the client starts does not start', async () => {
  const made = await make('touch started');
  made.run({ pause: PAUSE, state: {} });
  await made.status('paused');
  await made.stop();
  expect(existsSync(join(made.directory, 'started'))).toBe(false);
});

it('what does not heed SIGTERM is killed after the grace', async () => {
  const made = await make('trap "" TERM; echo up; while :; do sleep 0.1; done', { ready: { line: 'up' } });
  made.run();
  await made.status('ready');
  const { pid } = made.service.view;
  await made.stop();
  expect(groupIsAlive(pid ?? 0)).toBe(false);
});

const reload = (offset: string, message: object) => ({
  at: 1,
  from: { topic: 'frontier-adw', partition: 0, offset },
  message: message as never,
});

it('is told by a signal that a message has come; it has the message in a file', async () => {
  const made = await make(
    'trap "cat $HIPPO_RELOAD_FILE >> seen" HUP; cat $HIPPO_RELOAD_FILE >> seen; echo up; while :; do sleep 0.05; done',
    { ready: { line: 'up' }, reload: { signal: 'SIGHUP' } },
  );
  const seen = async (): Promise<string> => readFile(join(made.directory, 'seen'), 'utf8').catch(() => '');
  // What came before it started it reads itself.
  made.run({ state: { reload: reload('1', { n: 1 }) } });
  await made.status('ready');
  made.service.desire({ state: { reload: reload('2', { n: 2 }) } });
  await until(async () => (await seen()) === '{"n":1}\n{"n":2}\n');
});

it('is told by a call until it takes it, and of several messages the last', async () => {
  const bodies: string[] = [];
  let refusals = 2;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(refusals-- > 0 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => Promise.resolve(server.close()));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const made = await make('exec sleep 1000', { reload: { http: `http://127.0.0.1:${port}/reload` } });
  made.run();
  await made.status('ready');
  made.service.desire({ state: { reload: reload('1', { n: 1 }) } });
  await until(() => bodies.length >= 1);
  made.service.desire({ state: { reload: reload('2', { n: 2 }) } });
  await made.noticed('info: service api: told to reload');
  expect(bodies.at(-1)).toBe('{"n":2}');
  expect(made.notices[0]).toBe(
    `warning: service api: could not be told to reload: http://127.0.0.1:${port}/reload answers 503; it is tried again`,
  );
});

it('ends with its lease, by the guard, and does not count that as an end of its own', async () => {
  const made = await make('exec sleep 1000', { give_up: { after: 1 } }, { session: 2_500 });
  made.run();
  await made.status('ready');
  await made.noticed('no contact with Kafka');
  expect(made.service.view).toMatchObject({ status: 'stopped', pid: null });
});

it('is ready by a whole line of its own, not glued to what a former process had begun', async () => {
  const made = await make(
    'if test -e once; then echo up; exec sleep 1000; fi; touch once; printf "43 percent"; exit 1',
    { ready: { line: '^up$' } },
  );
  made.run();
  await made.status('ready');
});

it('a log that cannot be written is told, and is no reason to start a second process', async () => {
  const made = await make('echo $$ >> pids; echo up; exec sleep 1000', { ready: { line: '^up$' } });
  await mkdir(join(made.directory, '.hippo'));
  await writeFile(join(made.directory, '.hippo', 'logs'), 'no folder');
  made.run();
  await made.status('ready');
  await made.noticed('its log cannot be written');
  expect((await readFile(join(made.directory, 'pids'), 'utf8')).trim().split('\n')).toHaveLength(1);
});

it('a child that cannot be found any more does not keep it from starting again', async () => {
  const made = await make('setsid env -i sleep 8 & exit 1');
  made.run();
  await until(() => made.service.view.restarts >= 1);
});

it('a message to reload on does not shorten the pause before a restart', async () => {
  const made = await make('echo x >> starts; exit 1', { backoff: '1h', max_backoff: '1h' });
  made.run();
  await made.status('restarting');
  made.service.desire({ state: { reload: reload('1', { n: 1 }) } });
  made.service.desire({ pause: PAUSE, state: {} });
  await made.status('paused');
  expect(await readFile(join(made.directory, 'starts'), 'utf8')).toBe('x\n');
});

it('keeps its log below a size', async () => {
  const made = await make('head -c 11000000 /dev/zero | tr "\\\\0" x; echo; echo end; exec sleep 1000', {
    ready: { line: '^end$' },
  });
  made.run();
  await made.status('ready');
  await made.stop();
  await made.service.close();
  const path = join(made.directory, '.hippo', 'logs', 'api', `${process.pid}.log`);
  expect(existsSync(`${path}.1`)).toBe(true);
  await writeFile(path, '');
});

const IRIS: ServedModel = { name: 'iris', location: 'file:///m/iris' };
const pointer = (serving: string | null): Desired => ({
  state: {},
  models: new Map([
    [
      'iris',
      {
        serving,
        previous: null,
        since: serving === null ? null : 0,
        by: null,
        reason: null,
        retired: [],
        versions: ['v1', 'v2'].map((version) => ({
          version,
          builtAt: 0,
          jobId: 'build_1',
          metrics: {},
          rows: null,
          parent: null,
          promoted: true,
          why: '',
          manifestSha256: 'ab',
        })),
      },
    ],
  ]),
});

/** A server of models: its answer says which version the file names. */
const SERVER = `exec "${process.execPath}" -e '
const { readFileSync } = require("fs");
require("http").createServer((_, answer) => {
  const { iris } = JSON.parse(readFileSync(process.env.HIPPO_MODEL_FILE)).models;
  if (iris.serving === null) return void answer.writeHead(503).end();
  answer.writeHead(200, { "hippo-models": "iris=" + iris.serving.version + ", other=x" }).end();
}).listen(process.env.HIPPO_PORT)'`;

it('is told which version to serve, follows the pointer, and is asked what it serves', async () => {
  const made = await make(SERVER, { port: 'auto', ready: { http: '/readyz' } }, null, [IRIS]);
  made.run(pointer(null));
  await made.status('starting');
  const file = join(made.directory, '.hippo/services/api', `models.${process.pid}.json`);
  await until(() => existsSync(file));
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    models: { iris: { location: 'file:///m/iris', serving: null, since: null } },
  });
  made.service.desire(pointer('v1'));
  await made.status('ready');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    models: {
      iris: {
        location: 'file:///m/iris',
        serving: { version: 'v1', manifest_sha256: 'ab' },
        since: '1970-01-01T00:00:00.000Z',
      },
    },
  });
  await until(() => made.service.view.models?.['iris'] === 'v1');
  made.service.desire(pointer('v2'));
  await until(() => made.service.view.models?.['iris'] === 'v2');
  expect(made.service.view.models).toEqual({ iris: 'v2' });
  expect(made.notices).toEqual(['info: service api: serves iris v1', 'info: service api: serves iris v2']);
  await made.stop();
  expect(made.service.view.models).toEqual({ iris: null });
  expect(existsSync(file)).toBe(false);
});

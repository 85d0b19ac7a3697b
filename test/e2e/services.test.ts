import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parseFrontier, partitionPath } from '../../src/messages/index.ts';
import type { ClientStatus } from '../../src/client/host/status.ts';
import { groupIsAlive } from '../../src/client/host/process-group.ts';
import { makeFolder } from '../support/folder.ts';
import {
  type TestClient,
  type TestProject,
  httpGet,
  kcat,
  test,
  trigger,
  until,
} from '../support/project.ts';

const CLIENT = 'client: { session_timeout: 6s, kill_grace: 1s, http: { port: 0 } }';

/** An API: says the last message that it was told. */
const API = `
const { createServer } = require('node:http');
let last = '';
createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (request.url === '/reload') last = body;
    response.end(request.url === '/metrics' ? 'answers_total 7\\n' : last);
  });
}).listen(process.env.HIPPO_PORT, '127.0.0.1');
`;

/** Announces two tables, whatever an earlier process has announced. */
const STREAM = `#!/bin/sh
for id in 1 2; do
  echo "{\\"id\\":\\"$id\\",\\"table\\":\\"shop.orders\\",\\"partition\\":{\\"dt\\":\\"$id\\"}}" >> "$HIPPO_EVENTS_FILE"
done
echo "epoch $HIPPO_EPOCH"
exec sleep 1000
`;

const SERVICES = `${CLIENT}
services:
  api:
    run: [${process.execPath}, api.cjs]
    scope: each
    port: auto
    ready: { http: / }
    metrics: /metrics
    reload_on: [{ table: btd.party }]
    reload: { http: /reload }
  stream: { run: ['/bin/sh', stream.sh], ready: { line: ^epoch }, events: {} }`;

async function status(client: TestClient): Promise<ClientStatus['services']> {
  const { text } = await httpGet(client, '/readyz');
  return (JSON.parse(text) as ClientStatus).services;
}

async function service(client: TestClient, name: string): Promise<ClientStatus['services'][number]> {
  const found = (await status(client)).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

const becomes = (client: TestClient, name: string, wanted: string) =>
  until(async () => (await service(client, name)).status === wanted, `${name} is ${wanted}`);

const isReady = (client: TestClient, name: string) =>
  client.event('service', (event) => event.service === name && event.status === 'ready');

/** What the API on this client was told last. */
async function toldTo(client: TestClient): Promise<string> {
  const { port } = await service(client, 'api');
  return (await fetch(`http://127.0.0.1:${port ?? 0}/`)).text();
}

async function announced(project: TestProject): Promise<string[]> {
  const lines = await kcat(project, 'frontier-adw');
  return lines.flatMap((line) => {
    const parsed = parseFrontier(line);
    if (!parsed.ok || parsed.message.table !== 'orders') return [];
    return parsed.message.partitions.map((partition) => partitionPath(partition));
  });
}

describe('services', () => {
  test.concurrent(
    "each client has its own of scope each; the owner's moves, and what it repeats is announced once",
    async ({ makeProject }) => {
      const project = await makeProject('{}', 'exit 0', SERVICES);
      await writeFile(join(project.directory, 'api.cjs'), API);
      await writeFile(join(project.directory, 'stream.sh'), STREAM);
      // Another machine: its own folder.
      const elsewhere = await makeFolder('elsewhere');
      await cp(project.directory, elsewhere, { recursive: true });
      const first = project.startClient();
      await isReady(first, 'api');
      await isReady(first, 'stream');
      const second = project.startClient({}, elsewhere);
      await second.event('standby');
      await isReady(second, 'api');
      expect((await httpGet(second, '/readyz')).status).toBe(200);
      expect((await service(second, 'stream')).status).toBe('stopped');
      await until(async () => (await announced(project)).length === 2, 'both are announced');

      // Every client follows what the state says: a standby's too.
      await trigger(project, '201704');
      for (const client of [first, second])
        await until(async () => (await toldTo(client)).includes('"value":"201704"'), 'it is told to reload');
      const { text: metrics } = await httpGet(second, '/metrics');
      expect(metrics).toMatch(/^answers_total\{service="api",hippo=".*"\} 7$/m);
      expect(metrics).toMatch(/hippo_service_ready\{service="api",scope="each",.*\} 1/);
      await project.hippo(['job', 'pause', 'api', '--reason', 'upgrade']);
      for (const client of [first, second]) await becomes(client, 'api', 'paused');
      expect((await httpGet(second, '/readyz')).status).toBe(503);
      await project.hippo(['job', 'resume', 'api']);
      for (const client of [first, second]) await becomes(client, 'api', 'ready');

      // The machine is gone, and its file with it.
      const { pid } = await service(first, 'stream');
      first.kill('SIGKILL');
      await first.ended;
      await rm(join(project.directory, '.hippo', 'services'), { recursive: true, force: true });
      await isReady(second, 'stream');
      await until(() => !groupIsAlive(pid ?? 0), "the former owner's service is gone");
      await project.hippo(['job', 'pause', 'stream']);
      await becomes(second, 'stream', 'paused');
      expect((await announced(project)).toSorted()).toEqual(['dt=1', 'dt=2']);
      second.kill('SIGTERM');
      expect((await second.ended).exitCode).toBe(0);
    },
  );

  test.concurrent('a frozen client does not keep its service', async ({ makeProject }) => {
    const project = await makeProject(
      '{}',
      'exit 0',
      `${CLIENT}\nservices: { stream: { run: ['/bin/sh', stream.sh], ready: { line: ^epoch } } }`,
    );
    await writeFile(join(project.directory, 'stream.sh'), 'echo "epoch $HIPPO_EPOCH"\nexec sleep 1000\n');
    const frozen = project.startClient();
    await isReady(frozen, 'stream');
    const { pid } = await frozen.event('service');
    frozen.kill('SIGSTOP');
    await until(() => !groupIsAlive(pid), 'the guard ends it');
    frozen.kill('SIGCONT');
    const later = (event: { pid: number }): boolean => event.pid !== pid;
    await frozen.event('service', (event) => later(event) && event.status === 'ready');
    const epochs = await until(async () => {
      const log = await project.file(`.hippo/logs/stream/${frozen.pid}.log`);
      const found = log.match(/epoch \d+/g) ?? [];
      return found.length === 2 ? found : null;
    }, 'both processes have told their epoch');
    expect(Number(epochs[1]?.slice(6))).toBeGreaterThanOrEqual(Number(epochs[0].slice(6)));
  });

  test.concurrent(
    'a service that ends again and again is given up until it is resumed',
    async ({ makeProject }) => {
      const project = await makeProject(
        '{}',
        'exit 0',
        `${CLIENT}\nservices: { broken: { run: ['/bin/sh', -c, 'echo no licence; exit 4'], backoff: 100ms, give_up: { after: 2 } } }`,
      );
      const client = project.startClient();
      const given = await client.event('notice', ({ level }) => level === 'error');
      expect(given.text).toBe(
        'service broken: it ended with exit code 4; that is 2 times within 10 min: it stays down on this client until hippo job resume broken\nno licence',
      );
      // The client goes on, and owns.
      expect((await httpGet(client, '/readyz')).status).toBe(200);
      await project.hippo(['job', 'resume', 'broken']);
      await until(
        () =>
          client.events.filter((event) => event.event === 'service' && event.status === 'started').length > 2,
        'it is tried again',
      );
    },
  );
});

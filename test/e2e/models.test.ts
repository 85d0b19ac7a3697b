import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ClientStatus } from '../../src/client/host/status.ts';
import type { ModelMessage } from '../../src/messages/index.ts';
import { parseModel, serialiseModel } from '../../src/messages/index.ts';
import type { BuildReport } from '../../src/model/build.ts';
import type { PromoteReport } from '../../src/model/promote.ts';
import type { ModelReport } from '../../src/model/watch.ts';
import { makeFolder } from '../support/folder.ts';
import { testKafka } from '../support/kafka.ts';
import { type TestClient, type TestProject, httpGet, kcat, test, until } from '../support/project.ts';

/** Serves what $HIPPO_MODEL_FILE says, and says which version that is. */
const API = `
const { readFileSync } = require('node:fs');
require('node:http').createServer((_, response) => {
  const { iris } = JSON.parse(readFileSync(process.env.HIPPO_MODEL_FILE, 'utf8')).models;
  if (iris.serving === null) return void response.writeHead(503).end('waits for iris');
  response.writeHead(200, { 'hippo-models': 'iris=' + iris.serving.version }).end();
}).listen(process.env.HIPPO_PORT, '127.0.0.1');
`;

/** "Trains" a version as good as the file accuracy says, when there is no file hold. */
const BUILDER = `
version=$(sed 's/^{"model":"iris","version":"\\([^"]*\\)".*/\\1/' "$HIPPO_MODEL_FILE")
cp "$HIPPO_MODEL_FILE" "told.$version.json"
while test -e hold; do sleep 0.1; done
echo "{\\"model\\":{\\"name\\":\\"iris\\",\\"version\\":\\"$version\\",\\"metrics\\":{\\"accuracy\\":$(cat accuracy)},\\"rows\\":7}}" > "$HIPPO_RESULT_FILE"
`;

const MORE = `client: { session_timeout: 6s, kill_grace: 1s, http: { port: 0 } }
services:
  api: { run: [${process.execPath}, api.cjs], scope: each, port: auto, ready: { http: /readyz } }
models:
  iris:
    builder: build
    service: api
    location: data/models/iris
    promote: { metric: accuracy, margin: 0.01 }
    params: { reg_param: { type: number, min: 0, default: 0.01 } }`;

async function served(client: TestClient): Promise<string | null | undefined> {
  const { text } = await httpGet(client, '/readyz');
  const { services } = JSON.parse(text) as ClientStatus;
  return services.find(({ name }) => name === 'api')?.models?.['iris'];
}

async function json<T>(project: TestProject, args: readonly string[], exitCode = 0): Promise<T> {
  const done = await project.hippo(['model', ...args, '--json']);
  expect(`${done.exitCode} ${done.stderr}`).toBe(`${exitCode} `);
  return JSON.parse(done.stdout) as T;
}

async function messages(project: TestProject): Promise<ModelMessage[]> {
  return (await kcat(project, 'hippo-model')).map((line) => {
    const parsed = parseModel(line);
    if (!parsed.ok) throw new Error(`${parsed.rejection.reason}: ${line}`);
    return parsed.message;
  });
}

async function send({ prefix }: TestProject, message: ModelMessage): Promise<void> {
  const producer = await (await testKafka()).producer();
  const value = serialiseModel(message);
  await producer.send([{ topic: `${prefix}hippo-model`, key: message.model ?? '', value, headers: {} }]);
  await producer.close();
}

test('a model is built, promoted or not, rolled back and killed; a standby follows; a kill -9 loses nothing', async ({
  makeProject,
}) => {
  const project = await makeProject('build: { run: ./job.sh }', BUILDER, MORE);
  const put = (name: string, text: string) => writeFile(join(project.directory, name), text);
  await put('api.cjs', API);
  await put('accuracy', '0.9');
  // What was asked for before the first start builds nothing.
  await send(project, { kind: 'model', message: 'BUILD_MODEL', model: 'iris', extra: {} });
  const elsewhere = await makeFolder('elsewhere');
  await cp(project.directory, elsewhere, { recursive: true });
  const first = project.startClient();
  await first.event('owner');
  expect(await served(first)).toBeNull();
  const second = project.startClient({}, elsewhere);
  await second.event('standby');

  const built = await json<BuildReport>(project, ['build', 'iris', '--wait', '--param', 'reg_param=0.5']);
  const one = built.version?.version ?? '';
  expect(built).toMatchObject({ outcome: 'promoted', version: { metrics: { accuracy: 0.9 }, rows: 7 } });
  expect(JSON.parse(await project.file(`told.${one}.json`))).toMatchObject({
    params: { reg_param: 0.5 },
    location: `file://${project.directory}/data/models/iris`,
    serving: null,
  });
  for (const client of [first, second])
    await until(async () => (await served(client)) === one, 'the first version serves');

  await put('accuracy', '0.95');
  const better = await json<BuildReport>(project, ['build', 'iris', '--wait']);
  const two = better.version?.version ?? '';
  expect(better.version?.parent).toBe(one);
  await put('accuracy', '0.5');
  const worse = await project.hippo(['model', 'build', 'iris', '--wait']);
  expect(worse.exitCode).toBe(0);
  expect(worse.stdout).toContain('not promoted');
  expect(worse.stdout).toContain(`accuracy is 0.5, and that of ${two} is 0.95`);

  const back = await json<PromoteReport>(project, ['rollback', 'iris', '--reason', 'odd predictions']);
  expect(back).toMatchObject({ outcome: 'moved', version: one, before: two });
  expect(back.instances.map(({ version }) => version)).toEqual([one, one]);
  const shown = await json<ModelReport>(project, ['show', 'iris']);
  expect(shown).toMatchObject({ serving: one, previous: two, reason: 'odd predictions' });
  expect(shown.versions.map(({ metrics, serving }) => [metrics['accuracy'], serving])).toEqual([
    [0.5, false],
    [0.95, false],
    [0.9, true],
  ]);
  expect((await project.hippo(['model', 'promote', 'iris', one])).exitCode).toBe(1);
  expect((await project.hippo(['model', 'promote', 'iris', 'nothing'])).exitCode).toBe(2);
  expect((await project.hippo(['model', 'build', 'iris', '-p', 'depth=1'])).exitCode).toBe(2);

  // The owner is killed while it builds; the standby builds again, and the pointer is where it was.
  await put('accuracy', '0.93');
  await put('hold', '');
  await writeFile(join(elsewhere, 'accuracy'), '0.93');
  const known = first.events.length;
  await send(project, { kind: 'model', message: 'BUILD_MODEL', model: 'iris', extra: {} });
  await until(() => first.events.slice(known).some(({ event }) => event === 'submitted'), 'it builds');
  first.kill('SIGKILL');
  await first.ended;
  await second.event('owner');
  await until(
    async () =>
      (await json<ModelReport>(project, ['show', 'iris'])).versions[0]?.metrics['accuracy'] === 0.93,
    'the next owner builds it',
  );
  const after = await json<ModelReport>(project, ['show', 'iris']);
  expect(after).toMatchObject({ serving: after.versions[0]?.version, previous: one });
  expect(after.versions).toHaveLength(4);
  await until(async () => (await served(second)) === after.serving, 'the next owner serves it');

  // KILL stops builder and API until they are resumed.
  await writeFile(join(elsewhere, 'hold'), '');
  await send(project, { kind: 'model', message: 'BUILD_MODEL', model: 'iris', extra: {} });
  await until(() => second.events.filter(({ event }) => event === 'submitted').length === 2, 'it builds');
  await send(project, { kind: 'model', message: 'KILL', model: 'iris', by: 'ann', extra: {} });
  const killed = await second.event('ended', ({ outcome }) => outcome === 'cancelled');
  expect(killed.error).toContain('cancelled by KILL by ann: KILL iris');
  await until(async () => {
    const { services } = JSON.parse((await httpGet(second, '/readyz')).text) as ClientStatus;
    return services[0]?.status === 'paused';
  }, 'the API is paused');
  await rm(join(elsewhere, 'hold'));
  const refused = await project.hippo(['model', 'build', 'iris', '--wait']);
  expect(refused.exitCode).toBe(1);
  for (const name of ['build', 'api']) await project.hippo(['job', 'resume', name]);
  await until(async () => (await served(second)) === after.serving, 'the API serves again');
  await writeFile(join(elsewhere, 'accuracy'), '0.94');
  expect((await json<BuildReport>(project, ['build', 'iris', '--wait'])).outcome).toBe('promoted');

  const told = (await messages(project)).filter(({ message }) => message === 'NEW_MODEL');
  expect(told.map((message) => ('promoted' in message ? [message.version, message.promoted] : []))).toEqual([
    [one, true],
    [two, true],
    [shown.versions[0]?.version, false],
    [one, true],
    [after.serving, true],
    [expect.any(String), true],
  ]);
  const tail = await project.hippo(['tail', 'model', '--exit-at-end', '--from', 'beginning']);
  expect(tail.stdout).toContain('■ KILL iris by ann');
  expect(tail.stdout).toContain('◆ NEW_MODEL iris not promoted: accuracy 0.5, serving 0.95');
});

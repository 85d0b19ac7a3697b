import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import getPort from 'get-port';
import { ask } from '../http/app/support.ts';
import { hippo, startHippo } from '../support/cli.ts';
import { type ModelFolder, newModelFolder, serves } from './support.ts';

const V1 = '20260101T000000Z-000001';
const V2 = '20260102T000000Z-000002';
const running: ReturnType<typeof startHippo>[] = [];
afterEach(() => running.splice(0).forEach((one) => one.kill('SIGKILL')));

async function iris(): Promise<ModelFolder> {
  const models = await newModelFolder();
  await models.write({ kind: 'classifier' });
  await models.write({ kind: 'classifier', version: V2, seed: 2 });
  await models.point('iris', V1);
  return models;
}

async function start(models: ModelFolder, args: string[] = [], env: Record<string, string> = {}) {
  const port = await getPort({ host: '127.0.0.1' });
  const all = { HIPPO_MODEL_FILE: models.file, HIPPO_PORT: String(port), HIPPO_CONFIG: '', ...env };
  const child = startHippo(['serve', ...args], { cwd: models.folder, env: all });
  running.push(child);
  const lines = createInterface(child.stdout);
  for await (const line of lines) if (line.includes('"message":"serving"')) break;
  child.stdout.resume();
  return { child, url: `http://127.0.0.1:${port}` };
}

describe('hippo serve', () => {
  it('serves, swaps, rolls back, and ends with 0 on SIGTERM', async () => {
    const models = await iris();
    const { child, url } = await start(models);
    for (const version of [V1, V2, V1]) {
      await models.point('iris', version);
      await serves(url, 'iris', version);
      expect((await ask(`${url}/features/2,3,4,1/class`)).body).toMatchObject({
        model: 'iris',
        model_version: version,
      });
    }
    const page = (await ask(`${url}/docs/`)).body as string;
    expect(page).toContain('swagger-ui-bundle.js');
    expect((await ask(`${url}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    expect((await ask(`${url}/openapi.json`)).body).toMatchObject({ openapi: '3.1.0' });
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(0);
  });

  it('ends at once on a second SIGTERM', async () => {
    const models = await iris();
    const { child, url } = await start(models, [], { HIPPO_PROFILE: '' });
    await serves(url, 'iris', V1);
    // A request that is never sent to its end holds the drain.
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /class HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    child.kill('SIGTERM');
    await expect
      .poll(() =>
        ask(`${url}/readyz`).then(
          ({ status }) => status,
          () => 'closed',
        ),
      )
      .not.toBe(200);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(130);
    socket.destroy();
  });

  it.each([
    ['without a model file', { HIPPO_MODEL_FILE: '' }, 'hippo serve needs $HIPPO_MODEL_FILE'],
    [
      'with a model file that is not there',
      { HIPPO_MODEL_FILE: '/nowhere/models.json' },
      '$HIPPO_MODEL_FILE cannot be used',
    ],
    ['with a port that is none', { HIPPO_PORT: '80a' }, '$HIPPO_PORT is not a port: 80a'],
  ])('%s ends with 2 and says why', async (_, env, message) => {
    const models = await iris();
    const all = { HIPPO_MODEL_FILE: models.file, HIPPO_PORT: '0', ...env };
    const { exitCode, stderr } = await hippo(['serve'], { cwd: models.folder, env: all });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message) as string]);
  });

  it('refuses to listen for other machines without a key', async () => {
    const models = await iris();
    await writeFile(`${models.folder}/hippo.yaml`, 'name: shop\nserve: { host: 0.0.0.0 }\n');
    const env = { HIPPO_MODEL_FILE: models.file, HIPPO_PORT: '0' };
    const { exitCode, stderr } = await hippo(['serve'], { cwd: models.folder, env });
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('serve would listen on 0.0.0.0 without a key') as string,
    ]);
    expect(stderr).toContain('serve.keys_file');
  });

  it('waits for the first version, and goes on when its model file is away', async () => {
    const models = await iris();
    await models.point('iris', null);
    const { url } = await start(models);
    expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, body: { awaited: ['iris'] } });
    expect((await ask(`${url}/healthz`)).status).toBe(200);
    await models.point('iris', V1);
    await serves(url, 'iris', V1);
    await rm(models.file);
    expect((await ask(`${url}/features/2,3,4,1/class`)).status).toBe(200);
    await models.point('iris', V2);
    await serves(url, 'iris', V2);
  });
});

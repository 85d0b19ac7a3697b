import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { clientsPython, installClients } from '../support/clients.ts';
import { makeFolder } from '../support/folder.ts';
import { newModelFolder, serves, startService } from './support.ts';

const V1 = '20260101T000000Z-000001';

beforeAll(installClients);

async function service() {
  const models = await newModelFolder();
  await models.write({
    kind: 'classifier',
    coefficients: [
      [1, 0, 0, 0],
      [0, 0.5, 0.5, 0],
      [0, 0, 0, 1],
    ],
    intercepts: [0, 0, 0],
  });
  await models.write({ kind: 'recommender' });
  await models.point('iris', V1);
  await models.point('films', V1);
  const started = await startService(models, { serve: { limits: { rate: 100_000 } } });
  await serves(started.url, 'iris', V1);
  await serves(started.url, 'films', V1);
  return started;
}

it("Triton's own client works unchanged", async () => {
  const { url } = await service();
  const script = fileURLToPath(new URL('triton.py', import.meta.url));
  const { stdout } = await execa(clientsPython(), [script, new URL(url).host]);
  const classes = ['setosa', 'virginica'];
  expect(JSON.parse(stdout)).toEqual({
    live: true,
    ready: true,
    model_ready: true,
    none_ready: false,
    server: 'hippo',
    inputs: [{ name: 'input', datatype: 'FP64', shape: [-1, 4] }],
    ...{ default: classes, json: classes, binary: classes },
    id: '7',
    sums: [1, 1],
    known: [true, false],
    shape: [2, 3],
    error: 'there is no model none; there is iris, films',
  });
});

it('requests made up from the OpenAPI document cause no fault, and get answers that it tells of', async () => {
  const { url, log } = await service();
  const { exitCode, all } = await execa(
    clientsPython(),
    [
      ...['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, '--max-examples', '60', '--seed', '1'],
      // How many values a row has is known from the model only, so a row that fits the schema may be refused.
      ...['--exclude-checks', 'unsupported_method,positive_data_acceptance'],
      ...['--continue-on-failure', '--no-color'],
    ],
    // It keeps its examples in the folder where it runs.
    { cwd: await makeFolder('schemathesis'), reject: false, all: true },
  );
  expect([exitCode, exitCode === 0 ? '' : all]).toEqual([0, '']);
  const faults = log.filter(({ status, level }) => status === 500 || level === 'error');
  expect(faults).toEqual([]);
});

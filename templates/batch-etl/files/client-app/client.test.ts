import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { HookOutcome, HookRun } from 'hippo-toolkit';
import client from './client.ts';

const run: HookRun = {
  hippo: 'demo',
  job: 'summarize',
  runKey: '202401',
  jobId: 'summarize_1704067200',
  attempt: 1,
  attemptId: 'a1',
  window: null,
  program: './start-spark.sh',
  args: ['--table', 'shop.sales', '--partition', 'yyyymm=202401', '--group-by', 'city'],
  env: {},
  inputs: [],
};
const failed: HookOutcome = { status: 'failed', exitCode: 3, durationMs: 1, error: 'out of memory', logFile: 'log' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hooks-'));
  process.env['HIPPO_INPUT_DIR'] = folder;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env['HIPPO_INPUT_DIR'];
  delete process.env['ALERT_WEBHOOK'];
});

test('input that is there lets the job start as it is', () => {
  mkdirSync(join(folder, 'shop.sales', 'yyyymm=202401'), { recursive: true });
  assert.equal(client.beforeSubmit(run), undefined);
});

test('input that is missing fails the attempt and is named', () => {
  assert.throws(() => client.beforeSubmit(run), /shop\.sales\/yyyymm=202401 is missing/);
});

test('input elsewhere is left to Spark', () => {
  process.env['HIPPO_INPUT_DIR'] = 's3a://lake/input';
  assert.equal(client.beforeSubmit(run), undefined);
});

test('a failed attempt is told to the webhook, a good one is not', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
    request.on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env['ALERT_WEBHOOK'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  await client.afterFinish(run, { ...failed, status: 'succeeded', exitCode: 0 });
  await client.afterFinish(run, failed);
  server.close();

  assert.deepEqual(bodies, ['{"text":"demo/summarize 202401, attempt 1: failed. out of memory"}']);
});

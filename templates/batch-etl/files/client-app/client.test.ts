import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { HookRun } from 'hippo-toolkit';
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

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hooks-'));
  process.env['HIPPO_INPUT_DIR'] = folder;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env['HIPPO_INPUT_DIR'];
});

test('input that is there lets the job start as it is', () => {
  mkdirSync(join(folder, 'shop.sales', 'yyyymm=202401'), { recursive: true });
  assert.equal(client.beforeSubmit(run), undefined);
});

test('input that is missing fails the attempt and is named', () => {
  assert.throws(() => client.beforeSubmit(run), /shop\.sales\/yyyymm=202401 does not exist/);
});

test('input elsewhere is left to Spark', () => {
  process.env['HIPPO_INPUT_DIR'] = 's3a://lake/input';
  assert.equal(client.beforeSubmit(run), undefined);
});

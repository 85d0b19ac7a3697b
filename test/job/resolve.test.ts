import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { operator } from '../../src/job/request.ts';
import { type RequestWords, resolveRequest } from '../../src/job/resolve.ts';

const YAML = `name: etl
jobs:
  load:
    every: month
    needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  hourly:
    every: hour
    needs: [{ table: a.b, partition: { h: "{{ window | date: '%Y%m%d%H' }}" } }]
  each:
    needs: [{ table: a.c }]
`;
const NOW = Date.UTC(2017, 3, 28, 12);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-job-'));
  await writeFile(join(folder, 'hippo.yaml'), YAML);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function resolve(job: string, words: Partial<RequestWords> = {}, cwd = folder) {
  const loaded = await loadConfig({ cwd, env: {} });
  return resolveRequest({ action: 'run', job, key: null, by: null, reason: null, ...words }, loaded, NOW);
}

test('a job of this project, asked for by the operator', async () => {
  expect(await resolve('load', { key: '201704', reason: 'late source' })).toEqual({
    hippo: 'etl',
    job: 'load',
    action: 'run',
    key: '201704',
    by: operator(),
    reason: 'late source',
  });
  expect(operator()).toMatch(/^[^@]+@[^@]+$/);
  expect(await resolve('etl/load', { by: 'ann' })).toMatchObject({
    hippo: 'etl',
    job: 'load',
    key: null,
    by: 'ann',
  });
});

test('what is counted as done is named: the run of the present window', async () => {
  expect(await resolve('hourly', { action: 'mark_success' })).toMatchObject({ key: '2017-04-28T12' });
  expect(await resolve('each', { action: 'mark_success' })).toMatchObject({ key: null });
});

test.each([
  { job: 'load', key: '201704' },
  { job: 'hourly', key: '2017-04-28T05' },
  { job: 'each', key: 'yyyymm=201704/region=côte d’or' },
  // Other hippos know their jobs and keys themselves.
  { job: 'other/whatever', key: '30 February' },
])('$job $key can be asked for', async ({ job, key }) => {
  expect(await resolve(job, { key })).toMatchObject({ key });
});

describe('refused, with what is meant or allowed', () => {
  test.each([
    {
      job: 'laod',
      message: 'etl has no job laod',
      why: 'Did you mean load?',
      next: ['hippo job run load'],
    },
    {
      job: 'sum',
      message: 'etl has no job sum',
      why: 'It has load, hourly, each.',
      next: ['hippo config jobs'],
    },
    {
      job: 'loads',
      message: 'etl has no job loads',
      why: 'Did you mean load?',
      next: ['hippo job run load'],
    },
    {
      job: 'load',
      key: '2017-04',
      message: '--key 2017-04 is not a run key',
      why: 'etl/load runs every month; the present one is 201704.',
      next: ['hippo job run load --key 201704'],
    },
    {
      job: 'hourly',
      key: '2017-02-30T05',
      message: '--key 2017-02-30T05 is not a run key',
      next: [],
    },
    {
      job: 'load',
      key: '2016-12-31',
      message: '--key 2016-12-31 is not a run key',
      next: ['hippo job run load --key 201612'],
    },
    { job: 'hourly', key: '20170301', message: '--key 20170301 is not a run key', next: [] },
    { job: 'each', key: ' ', message: '--key must name a run; it is blank' },
    { job: 'a/b/c', message: '"a/b/c" is not the name of a job' },
    { job: '-x', message: '"-x" is not the name of a job' },
    { job: '', message: '"" is not the name of a job' },
  ])('$job $key: $message', async ({ job, key = null, ...error }) => {
    await expect(resolve(job, { key })).rejects.toMatchObject({ kind: 'user', exitCode: 2, ...error });
  });

  test('the action is part of the command to type', async () => {
    await expect(resolve('loads', { action: 'mark_success' })).rejects.toMatchObject({
      next: ['hippo job mark-success load'],
      place: { file: 'hippo.yaml', line: 2, key: 'jobs' },
    });
  });

  test('a job without a hippo, outside of any project', async () => {
    const bare = await mkdtemp(join(tmpdir(), 'hippo-bare-'));
    try {
      await expect(resolve('load', {}, bare)).rejects.toMatchObject({ message: "which hippo's load?" });
      expect(await resolve('sales/load', {}, bare)).toMatchObject({ hippo: 'sales', job: 'load' });
    } finally {
      await rm(bare, { recursive: true });
    }
  });
});

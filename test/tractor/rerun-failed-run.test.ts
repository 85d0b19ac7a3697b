import { expect, test } from 'vitest';
import { rerunFailedRun } from '../../src/tractor/recoveries/rerun-failed-run.ts';
import type { Stuck } from '../../src/tractor/recovery.ts';
import { NOON, finish, group, hours, minutes, request, run, world } from './world.ts';

const brief = ({ what, why, command, pull }: Stuck) => ({ what, why, command, pull });

test('a failed run: what, why, the command, and --pull does it', () => {
  const snapshot = world({
    runs: [run('etl', 'load', '201704', { attempt: 3, error: 'exit 3: no space left\nTraceback' })],
    groups: [group('etl', 'Stable')],
  });
  expect(rerunFailedRun.plan(snapshot, null)).toEqual([
    {
      recovery: 'rerun-failed-run',
      hippo: 'etl',
      job: 'load',
      run_key: '201704',
      what: 'etl/load 201704',
      why: 'failed 3 h ago after 3 attempts: exit 3: no space left',
      notes: [],
      cause: 'failed: exit 3: no space left',
      command: 'hippo job run etl/load --key 201704',
      since: '2026-11-24T09:00:00.000Z',
      pull: true,
      events: [],
    },
  ]);
});

test('a run that failed for a permanent reason is not pulled, and the command comes with a condition', () => {
  const snapshot = world({
    runs: [
      run('etl', 'load', '201704', { error: 'argument 2 of ./job.sh has 200000 bytes', permanent: true }),
    ],
    groups: [group('etl', 'Stable')],
  });
  expect(rerunFailedRun.plan(snapshot, null).map(brief)).toEqual([
    {
      what: 'etl/load 201704',
      why: 'failed 3 h ago: argument 2 of ./job.sh has 200000 bytes',
      command:
        'hippo job run etl/load --key 201704    (after the cause is repaired: as it is, it fails again)',
      pull: false,
    },
  ]);
});

test('runs of every other status are left alone', () => {
  const statuses = ['waiting', 'ready', 'running', 'succeeded', 'cancelled'] as const;
  const snapshot = world({ runs: statuses.map((status) => run('etl', 'load', status, { status })) });
  expect(rerunFailedRun.plan(snapshot, null)).toEqual([]);
});

test('a window that timed out is a person’s decision', () => {
  const ref = { topic: 'frontier-adw', partition: 0, offset: '1' };
  const input = { ...ref, need: 'btd.party', version: 1, values: {}, at: NOON };
  const snapshot = world({
    runs: [
      run('etl', 'join', '2026-11-23', { status: 'timed-out', inputs: { 'btd.party': input } }),
      run('etl', 'join', '2026-11-22', { status: 'timed-out', finishedAt: NOON - hours(30) }),
    ],
    groups: [group('etl', 'Stable')],
  });
  expect(rerunFailedRun.plan(snapshot, null).map(brief)).toEqual([
    {
      what: 'etl/join 2026-11-22',
      why: 'its needs were not complete in time: nothing has landed',
      command: 'hippo job run etl/join --key 2026-11-22',
      pull: false,
    },
    {
      what: 'etl/join 2026-11-23',
      why: 'its needs were not complete in time: only btd.party landed',
      command: 'hippo job run etl/join --key 2026-11-23',
      pull: false,
    },
  ]);
});

test('without a client of its hippo: said, and asked for once only', () => {
  const runs = [run('etl', 'load', 'a'), run('etl', 'load', 'b')];
  const requests = [request('etl', 'load', 'b', 'run', NOON - minutes(2))];
  const snapshot = world({ runs, requests, groups: [group('etl', 'Empty')] });
  expect(rerunFailedRun.plan(snapshot, null).map(({ notes, pull }) => ({ notes, pull }))).toEqual([
    { notes: ['no client of its hippo runs'], pull: true },
    { notes: ['asked again 2 min ago by ann@desk', 'no client of its hippo runs'], pull: false },
  ]);
});

test('a pause is said', () => {
  const snapshot = world({
    runs: [run('etl', 'load', 'a')],
    groups: [group('etl', 'Stable')],
    paused: [{ hippo: 'etl', job: 'load', by: 'bob@desk' }],
  });
  expect(rerunFailedRun.plan(snapshot, null)[0]?.notes).toEqual(['its job is paused by bob@desk']);
});

test('hippos that keep no state are judged by their last finish of each run', () => {
  const finishes = [
    finish('old', 'daily', undefined, true, NOON - hours(9)),
    finish('old', 'daily', undefined, false, NOON - hours(2), { errorMsg: '\nexit 1' }),
    finish('old', 'hourly', undefined, false, NOON - hours(3)),
    finish('old', 'hourly', undefined, true, NOON - hours(1)),
    finish('keyed', 'load', '201703', false, NOON - hours(4)),
    finish('keyed', 'load', '201704', true, NOON - hours(3)),
  ];
  expect(rerunFailedRun.plan(world({ finishes }), null).map(brief)).toEqual([
    {
      what: 'keyed/load 201703',
      why: 'failed 4 h ago',
      command: 'hippo job run keyed/load --key 201703',
      pull: true,
    },
    { what: 'old/daily', why: 'failed 2 h ago: exit 1', command: 'hippo job run old/daily', pull: true },
  ]);
});

test('the state of a run wins over its finish messages', () => {
  const snapshot = world({
    runs: [run('etl', 'load', '201704', { status: 'running' })],
    finishes: [finish('etl', 'load', '201704', false, NOON - hours(1))],
  });
  expect(rerunFailedRun.plan(snapshot, null)).toEqual([]);
});

test('marked as done since: settled', () => {
  const finishes = [finish('old', 'load', '201704', false, NOON - hours(4))];
  const marked = request('old', 'load', '201704', 'mark_success', NOON - hours(1));
  const before = request('old', 'load', '201704', 'mark_success', NOON - hours(5));
  expect(rerunFailedRun.plan(world({ finishes, requests: [marked] }), null)).toEqual([]);
  expect(rerunFailedRun.plan(world({ finishes, requests: [before] }), null)).toHaveLength(1);
});

test('only the hippos in scope', () => {
  const snapshot = world({ runs: [run('etl', 'load', 'a'), run('sales', 'load', 'a')] });
  expect(rerunFailedRun.plan(snapshot, new Set(['sales'])).map(({ hippo }) => hippo)).toEqual(['sales']);
});

test('the command can be pasted whatever the key is', () => {
  const snapshot = world({ runs: [run('etl', 'load', "region=côte d'or; rm -rf ~")] });
  expect(rerunFailedRun.plan(snapshot, null)[0]?.command).toBe(
    `hippo job run etl/load --key 'region=côte d'\\''or; rm -rf ~'`,
  );
});

test('of a hippo that was forgotten only what failed after that is listed', () => {
  const snapshot = world({
    finishes: [
      finish('etl', 'load', '201704', false, NOON - hours(3)),
      finish('etl', 'load', '201705', false, NOON - hours(1)),
      finish('old', 'load', '201704', false, NOON - hours(3)),
    ],
    forgotten: new Map([['etl', NOON - hours(2)]]),
  });
  expect(rerunFailedRun.plan(snapshot, null).map(({ what }) => what)).toEqual([
    'old/load 201704',
    'etl/load 201705',
  ]);
});

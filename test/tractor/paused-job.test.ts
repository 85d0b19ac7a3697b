import { expect, test } from 'vitest';
import { pausedJob } from '../../src/tractor/recoveries/paused-job.ts';
import { NOON, group, hours, run, world } from './world.ts';

const paused = [{ hippo: 'etl', job: 'load', by: 'ann@desk', reason: 'disk full', at: NOON - hours(3) }];

test('a paused job with a ready run: who paused it, why, and the command that resumes it', () => {
  const runs = [run('etl', 'load', '201704', { status: 'ready' }), run('etl', 'load', '201703')];
  const snapshot = world({ runs, paused, groups: [group('etl', 'Stable')] });
  expect(pausedJob.plan(snapshot, null)).toEqual([
    {
      recovery: 'paused-job',
      hippo: 'etl',
      job: 'load',
      run_key: '201704',
      what: 'etl/load: 201704',
      why: 'paused by ann@desk 3 h ago: disk full; the run is ready, and not started while the job is paused',
      notes: [],
      cause: null,
      command: 'hippo job resume etl/load',
      since: '2026-11-24T09:00:00.000Z',
      pull: false,
      events: [],
    },
  ]);
});

test('of many ready runs the first are named, and the others counted', () => {
  const keys = ['201705', '201704', '201703', '201702', '201701'];
  const runs = keys.map((key) => run('etl', 'load', key, { status: 'ready' }));
  const [stuck] = pausedJob.plan(world({ runs, paused }), null);
  expect(stuck).toMatchObject({
    run_key: null,
    what: 'etl/load: 201701, 201702, 201703, and 2 more',
    why: 'paused by ann@desk 3 h ago: disk full; 5 runs are ready, and not started while the job is paused',
  });
});

test.each([
  ['no run of it is ready', { status: 'waiting' as const }, null],
  [
    'its run was asked for by hand, and starts all the same',
    { status: 'ready' as const, manual: { from: { topic: 'hippo-schedule', partition: 0, offset: '1' } } },
    null,
  ],
  ['the hippo is not looked at', { status: 'ready' as const }, new Set(['other'])],
])('a pause holds nothing back where %s', (_, state, scope) => {
  const runs = [run('etl', 'load', '201704', state)];
  expect(pausedJob.plan(world({ runs, paused }), scope)).toEqual([]);
});

import { expect, test } from 'vitest';
import { planParts } from './plan.ts';
import { NOON, finish, group, hours, run, world } from './world.ts';

const groups = [group('etl', 'Stable')];
const jobs = new Map([['etl', { report: 'day', join: 'event' }]]);

test('runs of a job that hippo.yaml does not have any more: together, and nowhere else', () => {
  const runs = [
    run('etl', 'load', '201704'),
    run('etl', 'load', '201705', { status: 'ready' }),
    run('etl', 'load', '201703', { status: 'succeeded' }),
    run('etl', 'load', '201702', { status: 'cancelled' }),
    run('etl', 'report', '2017-04-28'),
    run('etl', 'join', 'yyyymm=201704'),
  ];
  const paused = [{ hippo: 'etl', job: 'load' }];
  expect(planParts(world({ runs, paused, jobs, groups }))).toEqual({
    'rerun-failed-run': [
      ['etl/report 2017-04-28', 'failed 3 h ago', 'hippo job run etl/report --key 2017-04-28'],
      ['etl/join yyyymm=201704', 'failed 3 h ago', 'hippo job run etl/join --key yyyymm=201704'],
    ],
    'gone-job': [
      [
        'etl/load 201704, 201705 (failed, ready)',
        'job load is no longer in hippo.yaml of etl; to let jobs that need a run go on, mark it as done: hippo job mark-success etl/load --key 201704',
        'hippo forget etl/load',
      ],
    ],
  });
});

test('a run of a job that has other windows now', () => {
  const runs = [run('etl', 'report', '201704')];
  expect(planParts(world({ runs, jobs, groups }))).toEqual({
    'gone-job': [
      [
        'etl/report 201704 (failed)',
        'job report runs every day now, and has no run 201704; to let jobs that need the run go on, mark it as done: hippo job mark-success etl/report --key 201704',
        'hippo job cancel etl/report --key 201704',
      ],
    ],
  });
});

test('the two keys of an hour that the clock repeats are keys, and a day is none of an hourly job', () => {
  const keys = ['2017-10-29T02+02:00', '2017-10-29T02+01:00', '2017-10-29'];
  const hourly = new Map([['etl', { load: 'hour' }]]);
  const parts = planParts(world({ runs: keys.map((key) => run('etl', 'load', key)), jobs: hourly, groups }));
  expect(parts['rerun-failed-run']).toHaveLength(2);
  expect(parts['gone-job']).toHaveLength(1);
});

test('what was forgotten does not come back from finish messages', () => {
  const finishes = [finish('etl', 'load', '201704', false, NOON - hours(1))];
  expect(planParts(world({ finishes, jobs, groups }))).toEqual({});
  expect(planParts(world({ finishes, groups }))).toHaveProperty('rerun-failed-run');
});

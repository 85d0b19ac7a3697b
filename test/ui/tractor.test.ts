import { expect, test } from 'vitest';
import { rerunFailedRun } from '../../src/tractor/recoveries/rerun-failed-run.ts';
import type { Outcome } from '../../src/tractor/recovery.ts';
import type { TractorPlan } from '../../src/tractor/tractor.ts';
import type { Snapshot } from '../../src/observe/index.ts';
import { renderOutcome, renderPlan, renderTractorEnd, tractorVerdict } from '../../src/ui/tractor.ts';
import { NOON, group, minutes, run, world } from '../tractor/world.ts';

function planOf(snapshot: Partial<Snapshot>): TractorPlan {
  return {
    brokers: [],
    hippos: ['etl'],
    since: '2026-11-23T12:00:00.000Z',
    parts: [
      {
        recovery: 'rerun-failed-run',
        title: 'Failed runs',
        stuck: rerunFailedRun.plan(world(snapshot), null),
      },
    ],
    unneeded: [],
    unreadable: 0,
    hidden: [],
  };
}

test('equal failures of one job are one entry; the others stand by themselves', () => {
  const days = Array.from({ length: 90 }, (_, day) => new Date(Date.UTC(2026, 7, 1 + day)).toISOString());
  const runs = days.map((day, index) =>
    run('etl', 'load', day.slice(0, 10), { error: 'exit 3', finishedAt: NOON - minutes(index) }),
  );
  const plan = planOf({
    runs: [
      ...runs,
      run('etl', 'load', '2026-07-01', { error: 'exit 4' }),
      run('etl', 'sum', '2026-07-02', { error: 'exit 3' }),
      run('etl', 'late', '2026-07-03', { status: 'timed-out' }),
      run('etl', 'late', '2026-07-04', { status: 'timed-out' }),
    ],
    groups: [group('etl', 'Stable')],
  });
  expect(plan.parts[0]?.stuck).toHaveLength(94);
  expect(renderPlan(plan)).toBe(`\
Failed runs (94)
  ✗ etl/load 2026-07-01
    failed 3 h ago: exit 4
    → hippo job run etl/load --key 2026-07-01
  ✗ etl/sum 2026-07-02
    failed 3 h ago: exit 3
    → hippo job run etl/sum --key 2026-07-02
  ! etl/late 2026-07-03 … 2026-07-04 (2 runs)
    its needs were not complete in time: nothing has landed
    all at 2026-11-24 09:00 UTC
    → hippo job run etl/late --key 2026-07-03    (the oldest; --json lists all)
  ✗ etl/load 2026-08-01 … 2026-10-29 (90 runs)
    failed: exit 3
    the first at 2026-11-24 10:31 UTC, the last at 2026-11-24 12:00 UTC
    → hippo job run etl/load --key 2026-10-29    (the oldest; --json lists all)

(etl, events since 2026-11-23 12:00 UTC)`);
});

test('a long error is cut, what matters for the next step is not', () => {
  const plan = planOf({
    runs: [run('etl', 'load', '201704', { error: 'no space left '.repeat(40) })],
    groups: [group('etl', 'Empty')],
    paused: [{ hippo: 'etl', job: 'load', by: 'bob@desk' }],
  });
  expect(renderPlan(plan)).toBe(`\
Failed runs (1)
  ✗ etl/load 201704
    failed 3 h ago: no space left no space left no space left no space left no
    space left no space left no space left no space left no space left no space
    left no space left no space left no space left no space left no space left …
    its job is paused by bob@desk
    no client of its hippo runs
    → hippo job run etl/load --key 201704

(etl, events since 2026-11-23 12:00 UTC)`);
});

test('a run whose hippo has no client: asked for, and what is missing', () => {
  const outcome: Outcome = {
    ...{ hippo: 'etl', job: 'load', run_key: '201704', what: 'etl/load 201704', result: 'no-client' },
    ...{ job_id: null, duration: null, error: null },
  };
  expect(renderOutcome(outcome)).toBe(`\
! etl/load 201704 has been asked for, but no client of etl is running: the
  request stays in its topic until one starts.
  → hippo run    (in etl's project)`);
  const report = { ...planOf({ runs: [run('etl', 'load', '201704')] }), pulled: [outcome] };
  expect([tractorVerdict(report), renderTractorEnd(report)]).toEqual([4, '0 of 1 run succeeded.']);
});

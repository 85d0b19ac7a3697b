import { expect, test } from 'vitest';
import type { AskedRequest, JobReport } from '../../src/job/ask.ts';
import { jobVerdict, renderAsked, renderJob } from '../../src/ui/job.ts';
import type { WaitReport } from '../../src/trigger/following.ts';

const asked = (more: Partial<AskedRequest> = {}): AskedRequest => ({
  dry_run: false,
  action: 'run',
  hippo: 'etl',
  job: 'load',
  run_key: '201704',
  by: 'ann@desk',
  reason: null,
  record: { topic: 'hippo-schedule', key: 'etl', value: '{…}', traceparent: '', partition: 0, offset: '12' },
  clients: 1,
  similar: [],
  ...more,
});

test('asked: what, by whom, why and where', () => {
  expect(renderAsked(asked({ reason: 'disk was full\n' }))).toBe(
    `✓ Asked: run etl/load 201704 (ann@desk: disk was full\\n)
  topic hippo-schedule, partition 0, offset 12`,
  );
});

test('planned: the message too', () => {
  const planned = asked({
    dry_run: true,
    action: 'mark_success',
    record: { ...asked().record, offset: null },
  });
  expect(renderJob({ ...planned, wait: null })).toBe(
    `Would ask: mark-success etl/load 201704 (ann@desk)
  topic hippo-schedule, partition 0, key etl
  {…}`,
  );
});

test('a pause says how to undo it; without a client, that nothing will happen yet', () => {
  expect(renderAsked(asked({ action: 'pause', run_key: null, clients: 0, similar: ['etl2'] }))).toBe(
    `✓ Asked: pause etl/load (ann@desk)
  topic hippo-schedule, partition 0, offset 12
! No client of etl is running: the request stays in its topic until one starts.
  Did you mean etl2?
  → hippo job resume etl/load`,
  );
});

const wait = (outcome: WaitReport['outcome'], live: string[]): WaitReport => ({
  outcome,
  live,
  readers: live,
  down: [],
  hidden: [],
  runs: [],
  unanswered: 0,
  pending: { undecided: [], open: [], running: [] },
});
const report = (given: WaitReport | null): JobReport => ({ ...asked(), wait: given });

test.each([
  { given: null, code: 0, text: '' },
  { given: wait('no-reaction', ['etl']), code: 1, text: 'started nothing' },
  { given: wait('no-reaction', ['other']), code: 4, text: 'No client of etl is running' },
  { given: wait('timed-out', ['etl']), code: 4, text: 'Timed out' },
  { given: wait('failed', ['etl']), code: 1, text: 'failed' },
  { given: wait('interrupted', ['etl']), code: 130, text: 'the request stands' },
])('$given.outcome $given.live: exit code $code', ({ given, code, text }) => {
  expect(jobVerdict(report(given))).toBe(code);
  expect(renderJob(report(given))).toContain(text);
});

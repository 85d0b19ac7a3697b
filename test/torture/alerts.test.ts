import { expect, it } from 'vitest';
import type { Alert, JobFinish } from '../../src/messages/index.ts';
import { type AlertCase, judgeAlerts } from './alerts.ts';

function alert(
  condition: Alert['condition'],
  subject: string,
  runKey: string | undefined,
  number = 1,
): Alert {
  return {
    kind: 'alert',
    alertId: `h1/${subject}/${condition}/${runKey ?? ''}/${number}`,
    state: 'firing',
    ...{ condition, hippoName: 'h1', subject, since: 1, time: 1, text: 'something', extra: {} },
    ...(runKey === undefined ? {} : { runKey }),
  };
}

function over(fired: Alert): Alert {
  return { ...fired, state: 'resolved' };
}

function finish(jobName: string, runKey: string, isSuccess: boolean): JobFinish {
  const ids = { hippoName: 'h1', jobName, jobId: `${jobName}_1`, runKey };
  return { kind: 'finish', ...ids, isSuccess, finishTime: 1, durationTime: 1, extra: {} };
}

const ABSENT = alert('absent', 'minutes', 'w1');
const LATE = alert('deadline', 'minutes', 'w2');
const FAILED = alert('failed', 'mended', 'a');
const BROKEN = alert('failed', 'broken', 'a');
const PAUSED = alert('paused', 'resting', undefined);
const OVER = [ABSENT, LATE, FAILED, PAUSED];

/** A round in which all is as it must be. */
const FINE: AlertCase = {
  alerts: [...OVER.flatMap((fired) => [fired, over(fired)]), BROKEN],
  finishes: [
    finish('mended', 'a', false),
    finish('mended', 'a', false),
    finish('mended', 'a', true),
    finish('broken', 'a', false),
    finish('minutes', 'w1', true),
    finish('minutes', 'w2', true),
  ],
  absent: new Set(['minutes w1']),
  mayBeAbsent: new Set(['minutes w3']),
  paused: new Set(['resting']),
  open: new Set([BROKEN.alertId]),
  taken: [
    { id: BROKEN.alertId, state: 'firing' },
    { id: FAILED.alertId, state: 'firing' },
    ...OVER.map(({ alertId }) => ({ id: alertId, state: 'resolved' as const })),
  ],
  clients: 2,
  wasFrozen: false,
};

/** What is found when something of the round is otherwise. */
function judged(change: Partial<AlertCase>): string[] {
  return judgeAlerts({ ...FINE, ...change });
}

function without(...gone: readonly Alert[]): Alert[] {
  return FINE.alerts.filter((each) => !gone.some(({ alertId }) => alertId === each.alertId));
}

it('the judge of alerts finds nothing where all is as it must be', () => {
  expect(judged({})).toEqual([]);
  const unknown = alert('dead-letters', 'frontier-adw', undefined);
  expect(judged({ alerts: [...FINE.alerts, unknown, over(unknown)] })).toEqual([]);
  const perhaps = alert('absent', 'minutes', 'w3');
  const told = [...FINE.taken, { id: perhaps.alertId, state: 'resolved' as const }];
  expect(judged({ alerts: [...FINE.alerts, perhaps, over(perhaps)], taken: told })).toEqual([]);
});

it('finds what is told twice, never, or in the wrong order', () => {
  const id = FAILED.alertId;
  expect(judged({ alerts: [...FINE.alerts, FAILED] })).toContain(`alert ${id} is firing, resolved, firing`);
  expect(judged({ alerts: [...FINE.alerts, over(FAILED)] })).toContain(
    `alert ${id} is firing, resolved, resolved`,
  );
  expect(judged({ alerts: [...without(FAILED), over(FAILED), FAILED] })).toContain(
    `alert ${id} is resolved, firing`,
  );
});

it('finds a failure without an alert, one that is not over, and an alert without a failure', () => {
  expect(judged({ alerts: without(FAILED) })).toContain(
    'mended a has 0 alerts that it failed, and 1 expected',
  );
  expect(judged({ alerts: [...without(FAILED), FAILED] })).toContain(
    'mended a has 0 alerts that it failed and is over, and 1 expected',
  );
  const again = alert('failed', 'mended', 'a', 2);
  expect(judged({ alerts: [...FINE.alerts, again, over(again)] })).toContain(
    'mended a has 2 alerts that it failed, and 1 expected',
  );
  expect(judged({ finishes: FINE.finishes.filter(({ jobName }) => jobName !== 'broken') })).toContain(
    'broken a has 1 alerts that it failed, and 0 expected',
  );
});

it('finds a window that was missed without an alert, with two, or with a false one', () => {
  expect(judged({ alerts: without(ABSENT) })).toContain('minutes w1 was absent, and has no alert of that');
  expect(judged({ absent: new Set() })).toContain(
    'minutes w1 has an alert that it is absent, and had landed before',
  );
  const late = alert('deadline', 'minutes', 'w1');
  expect(judged({ alerts: [...FINE.alerts, late, over(late)] })).toContain(
    'minutes w1 has 2 alerts that it is late',
  );
  expect(judged({ alerts: [...without(ABSENT), ABSENT] })).toContain(
    'minutes w1 is alerted to be late, and that is not over',
  );
});

it('finds a pause that is not told', () => {
  expect(judged({ alerts: without(PAUSED) })).toContain(
    'resting has 0 alerts that it paused, and 1 expected',
  );
  expect(judged({ paused: new Set() })).toContain('resting has 1 alerts that it paused, and 0 expected');
});

it('finds where the state says something else than the topic', () => {
  expect(judged({ open: new Set() })).toEqual([`${BROKEN.alertId} is open on the topic, not in the state`]);
  expect(judged({ open: new Set([BROKEN.alertId, 'x']) })).toEqual([
    'x is open in the state, not on the topic',
  ]);
});

it('finds what the receiver was not told, was told wrongly, again and again, or in the wrong order', () => {
  const id = FAILED.alertId;
  const taken = (...more: readonly AlertCase['taken'][number][]): string[] =>
    judged({ taken: [...FINE.taken, ...more] });
  expect(judged({ taken: FINE.taken.filter((each) => each.id !== id || each.state === 'firing') })).toEqual([
    `the receiver was not told ${id} resolved`,
  ]);
  expect(judged({ taken: FINE.taken.filter((each) => each.id !== BROKEN.alertId) })).toEqual([
    `the receiver was not told ${BROKEN.alertId} firing`,
  ]);
  expect(taken({ id: 'x', state: 'firing' })).toEqual([
    'the receiver was told x firing, and that is not published',
  ]);
  expect(taken({ id: BROKEN.alertId, state: 'resolved' })).toEqual([
    `the receiver was told ${BROKEN.alertId} resolved, and that is not published`,
  ]);
  expect(taken({ id, state: 'resolved' })).toEqual([]);
  expect(taken({ id, state: 'resolved' }, { id, state: 'resolved' })).toEqual([
    `the receiver was told ${id} resolved 3 times by 2 clients`,
  ]);
  expect(taken({ id, state: 'firing' })).toEqual([`the receiver was told that ${id} began after its end`]);
});

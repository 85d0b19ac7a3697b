import { describe, expect, test } from 'vitest';
import { type RecordRef, recordId } from '../../src/core/record-ref.ts';
import type { FollowedRun, OpenRun, Standing } from '../../src/trigger/follow.ts';
import { Following, followToEnd } from '../../src/trigger/following.ts';
import type { Look } from '../../src/trigger/wait.ts';

const TIMEOUT = 10_000;
const event = (offset: number): RecordRef => ({ topic: 'frontier', partition: 0, offset: String(offset) });

function run(outcome: FollowedRun['outcome']): FollowedRun {
  const [hippo, job, job_id, run_key] = ['etl', 'load', 'load_1', '201701'];
  return { hippo, job, job_id, run_key, outcome, duration: null, error: null, built: null, because: [] };
}
const open = (status: string): OpenRun => ({
  hippo: 'etl',
  job: 'load',
  run_key: '201701',
  status,
  has: [],
  paused: null,
});
const pending = { undecided: [], open: [], running: [] };
const phases = (...all: Standing['phase'][]): Look['standings'] =>
  new Map(all.map((phase, index) => [recordId(event(index)), { phase, runs: 0, failed: false }]));

const QUIET: Look = {
  live: ['etl'],
  readers: ['etl'],
  down: [],
  hidden: [],
  runs: [],
  pending,
  standings: phases('ended'),
  complete: true,
};

/** Looks that are given; the last one again and again. A rest takes all its time at once. */
function following(...looks: Partial<Look>[]) {
  let now = 0;
  let at = 0;
  const followed: string[] = [];
  const watch = {
    follow: (refs: readonly RecordRef[]) => void followed.push(...refs.map(recordId)),
    look: () => Promise.resolve({ ...QUIET, ...looks[Math.min(at++, looks.length - 1)] }),
    rest: (millis: number) => Promise.resolve(void (now += millis)),
    wake: () => undefined,
  };
  const options = { timeout: TIMEOUT, clock: { now: () => now } };
  return { watch, options, followed, looked: () => at, pass: (millis: number) => (now += millis) };
}

describe('what was published is followed', () => {
  test.each<[string, Partial<Look>[], string]>([
    [
      'until its run has succeeded',
      [{ pending: { ...pending, running: [run('running')] } }, { runs: [run('succeeded')] }],
      'succeeded',
    ],
    ['until one of its runs has failed', [{ runs: [run('succeeded'), run('failed')] }], 'failed'],
    ['until nothing has come of it for long', [{}], 'no-reaction'],
    [
      'until its outcome takes too long',
      [{ standings: phases('running'), pending: { ...pending, open: [open('ready')] } }],
      'timed-out',
    ],
    [
      'and a look that has not read all decides nothing',
      [{ runs: [run('succeeded')], complete: false }],
      'timed-out',
    ],
  ])('%s', async (_, looks, outcome) => {
    const { watch, options, followed, looked } = following(...looks);
    const { signal } = new AbortController();
    const report = await followToEnd(watch, [event(0)], { ...options, signal });
    expect(report.outcome).toBe(outcome);
    expect(followed).toEqual(['frontier/0/0']);
    expect(looked()).toBeGreaterThanOrEqual(looks.length);
  });

  test('until the signal is aborted, which ends the rest', async () => {
    const controller = new AbortController();
    const { watch, options } = following({ pending: { ...pending, open: [open('waiting')] } });
    let woken = false;
    const rest = async (): Promise<void> => {
      controller.abort();
      await expect.poll(() => woken).toBe(true);
    };
    const report = await followToEnd({ ...watch, rest, wake: () => (woken = true) }, [event(0)], {
      ...options,
      signal: controller.signal,
    });
    expect(report).toMatchObject({ outcome: 'interrupted', pending: { open: [{ status: 'waiting' }] } });
  });
});

describe('while more is to be published', () => {
  test('an event that waits for inputs is neither active nor overdue', async () => {
    const { watch, options, pass } = following({
      standings: phases('waiting', 'running'),
      pending: { ...pending, open: [open('waiting')] },
    });
    const followed = new Following(watch, options);
    followed.follow([event(0)]);
    await followed.look();
    pass(TIMEOUT);
    expect([followed.active(), followed.isOverdue(true), followed.isOverdue(false)]).toEqual([
      0,
      false,
      true,
    ]);
    expect(followed.explanations(true)).toEqual([]);
    expect(followed.explanations(false)).toEqual([{ type: 'waits-for-inputs', run: open('waiting') }]);
    expect(followed.explanations(false)).toEqual([]);

    followed.follow([event(1)]);
    expect([followed.active(), followed.isOverdue(false)]).toEqual([1, false]);
    pass(TIMEOUT);
    expect(followed.isOverdue(true)).toBe(true);
  });

  test('a run that its paused job keeps from starting is explained once', async () => {
    const paused = { by: 'ann@desk', reason: null, since: '2017-04-28T15:55:46.000Z' };
    const ready = { ...open('ready'), paused };
    const { watch, options } = following({
      standings: phases('running'),
      pending: { ...pending, open: [ready] },
    });
    const followed = new Following(watch, options);
    await followed.look();
    expect(followed.explanations(true)).toEqual([{ type: 'job-paused', run: ready }]);
    expect(followed.explanations(false)).toEqual([]);
  });

  test('what had ended at the first look is not its pace', async () => {
    const { watch, options, pass } = following(
      { standings: phases('ended', 'running') },
      { standings: phases('ended', 'ended') },
    );
    const followed = new Following(watch, options);
    expect(followed.tally()).toBeNull();
    followed.follow([event(0), event(1)]);
    await followed.look();
    expect(followed.tally()).toEqual({ done: 1, failed: 0, waiting: 0, paced: 0, lastDoneAt: 0 });
    pass(5);
    await followed.look();
    expect(followed.tally()).toEqual({ done: 2, failed: 0, waiting: 0, paced: 1, lastDoneAt: 5 });
  });
});

import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import type { JobFinish, JobStart } from '../../src/messages/index.ts';
import { Follower, type Place, type Standing } from '../../src/trigger/follow.ts';

const NOW = 1_000_000;
/** Long enough for a hippo that is silent about a topic to count as one that does not read it. */
const LATER = NOW + 60_000;

const event = (offset: number): Place => ({ topic: 'frontier', partition: 0, offset: String(offset) });
const done = (offset: number): Place => ({ topic: 'finish', partition: 0, offset: String(offset) });

const start = (job: string, ...causes: Place[]): JobStart => ({
  kind: 'start',
  hippoName: 'etl',
  jobName: job,
  jobId: `${job}_1`,
  startTime: 1,
  receiveMsgs: causes,
  extra: {},
});
const finish = (job: string, isSuccess: boolean, ...causes: Place[]): JobFinish => ({
  kind: 'finish',
  hippoName: 'etl',
  jobName: job,
  jobId: `${job}_1`,
  isSuccess,
  finishTime: 2,
  durationTime: 1,
  receiveMsgs: causes,
  extra: {},
});
const run = (status: string, ...inputs: Place[]): Json => ({
  status,
  jobId: null,
  inputs: Object.fromEntries(inputs.map((input, index) => [`need${index}`, { ...input }])),
});

/** A story of the events 0 and 1, and how each stands then. */
function standings(tell: (follower: Follower) => void, live = ['etl']): (Standing | undefined)[] {
  const follower = new Follower();
  follower.follow(event(0), NOW);
  follower.follow(event(1), NOW);
  tell(follower);
  const found = follower.standings(live, follower.positions(), LATER);
  return [found.get('frontier/0/0'), found.get('frontier/0/1')];
}

const is = (phase: Standing['phase'], runs = 0, failed = false): Standing => ({ phase, runs, failed });

describe('an event stands as', () => {
  test.each<[string, (follower: Follower) => void, [Standing, Standing]]>([
    [
      'undecided until its hippo has read it',
      (follower) => follower.position('etl', 'frontier', 0, 1n),
      [is('ended'), is('undecided')],
    ],
    [
      'running while a run of it runs, ended with it',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.started(start('a', event(0)), NOW);
        follower.started(start('b', event(1)), NOW);
        follower.finished(finish('b', true, event(1)), done(0), NOW);
        follower.position('etl', 'finish', 0, 1n);
      },
      [is('running', 1), is('ended', 1)],
    ],
    [
      'undecided again while a hippo has to decide about the finish of its run',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.position('etl', 'finish', 0, 0n);
        follower.finished(finish('a', true, event(0)), done(0), NOW);
      },
      [is('undecided', 1), is('ended')],
    ],
    [
      'running while a run runs that its run has set off',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.position('etl', 'finish', 0, 1n);
        follower.finished(finish('a', true, event(0)), done(0), NOW);
        follower.started(start('after', done(0)), NOW);
      },
      [is('running', 2), is('ended')],
    ],
    [
      'failed where a run failed that its run has set off, whatever was told first',
      (follower) => {
        follower.finished(finish('after', false, done(0)), done(1), NOW);
        follower.finished(finish('a', true, event(0)), done(0), NOW);
        follower.position('etl', 'frontier', 0, 2n);
        follower.position('etl', 'finish', 0, 2n);
      },
      [is('ended', 2, true), is('ended')],
    ],
    [
      'waiting where its run needs more, running when that is complete',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.stateRecord('etl/run/a/201701', run('waiting', event(0)));
        follower.stateRecord('etl/run/a/201702', run('ready', event(1)));
      },
      [is('waiting'), is('running')],
    ],
    [
      'the same as the other event of the same run',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.started(start('a', event(0), event(1)), NOW);
      },
      [is('running', 1), is('running', 1)],
    ],
    [
      'failed where its run has ended without a message',
      (follower) => {
        follower.position('etl', 'frontier', 0, 2n);
        follower.stateRecord('etl/run/a/201701', run('timed-out', event(0)));
      },
      [is('ended', 1, true), is('ended')],
    ],
  ])('%s', (_, tell, expected) => {
    expect(standings(tell)).toEqual(expected);
  });

  test('undecided while no hippo lives', () => {
    expect(standings((follower) => follower.position('etl', 'frontier', 0, 2n), [])).toEqual([
      is('undecided'),
      is('undecided'),
    ]);
  });

  test('undecided until the last of the hippos has read it', () => {
    const story = (follower: Follower): void => {
      follower.position('etl', 'frontier', 0, 2n);
      follower.position('slow', 'frontier', 0, 1n);
    };
    expect(standings(story, ['etl', 'slow'])).toEqual([is('ended'), is('undecided')]);
  });
});

import { describe, expect, test } from 'vitest';
import type { RecordRef } from '../../src/core/record-ref.ts';
import {
  type FrontierEvent,
  type JobFinish,
  type JobStart,
  producedByField,
  producedField,
} from '../../src/messages/index.ts';
import type { RunState, RunStatus, StateKey, StateRecord } from '../../src/state/index.ts';
import { Follower, type Standing } from '../../src/trigger/follow.ts';

const NOW = 1_000_000;
/** Long enough for a hippo that is silent about a topic to count as one that does not read it. */
const LATER = NOW + 60_000;

const event = (offset: number): RecordRef => ({ topic: 'frontier', partition: 0, offset: String(offset) });
const done = (offset: number): RecordRef => ({ topic: 'finish', partition: 0, offset: String(offset) });

const start = (job: string, ...causes: RecordRef[]): JobStart => ({
  kind: 'start',
  hippoName: 'etl',
  jobName: job,
  jobId: `${job}_1`,
  startTime: 1,
  receiveMsgs: causes,
  extra: {},
});
const finish = (job: string, isSuccess: boolean, ...causes: RecordRef[]): JobFinish => ({
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

/** A run of etl's as its state has it. */
function run(
  key: string,
  status: RunStatus,
  inputs: RecordRef[],
  more: Partial<RunState> = {},
): [StateKey, StateRecord] {
  const landed = inputs.map((ref, index) => {
    const need = `need${index}`;
    return [need, { ...ref, need, version: 1, values: {}, at: NOW }] as const;
  });
  const state: RunState = {
    job: 'a',
    key,
    status,
    jobId: null,
    attempt: 0,
    failures: 0,
    attemptId: null,
    inputs: Object.fromEntries(landed),
    relanded: {},
    firstInputAt: NOW,
    startedAt: null,
    attemptAt: null,
    finishedAt: null,
    notBefore: null,
    deadlineMissed: false,
    ...more,
  };
  return [
    { kind: 'run', hippo: 'etl', job: 'a', key },
    { kind: 'run', hippo: 'etl', run: state },
  ];
}

/** One input of a run whose inputs have records of their own. */
function part(
  key: string,
  { landed, relanded }: { landed?: RecordRef; relanded?: RecordRef },
): [StateKey, StateRecord] {
  const input = (ref: RecordRef) => ({ ...ref, need: 'need', version: 1, values: {}, at: NOW });
  return [
    { kind: 'run-input', hippo: 'etl', job: 'a', input: `${key}/need` },
    {
      kind: 'run-input',
      hippo: 'etl',
      job: 'a',
      need: 'need',
      part: {
        key,
        ...(landed === undefined ? {} : { landed: input(landed) }),
        ...(relanded === undefined ? {} : { relanded: input(relanded) }),
      },
    },
  ];
}

/** The start of a run that has too many inputs to list. */
function large(key: string): JobStart {
  const message: JobStart = { ...start('a'), jobId: `a_${key}`, runKey: key, receiveCount: 5_000 };
  delete message.receiveMsgs;
  return message;
}

/** etl has read a topic up to this offset. */
function hasRead(follower: Follower, topic: string, offset: bigint, hippo = 'etl'): void {
  follower.position(hippo, { topic, partition: 0, offset });
}

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

test('a run caused by a record of a deleted topic is not taken for a run of the event at the same place', () => {
  const old = { ...event(0), topicId: 'old' };
  const follower = new Follower();
  follower.started(start('b', old), NOW);
  follower.stateChanged(...run('201701', 'failed', [old]), NOW);
  expect(follower.follow({ ...event(0), topicId: 'new' }, NOW)).toEqual([]);
  follower.finished(finish('a', false, old), { topic: 'finish', partition: 0, offset: '0' }, NOW);
  expect(follower.runs()).toEqual([]);
  expect(follower.pending(['etl'], follower.positions(), NOW)).toMatchObject({ open: [], running: [] });

  follower.finished(
    finish('c', true, { ...event(0), topicId: 'new' }),
    { topic: 'finish', partition: 0, offset: '1' },
    NOW,
  );
  // One that does not know the id of its topic is any.
  follower.started(start('d', event(0)), NOW);
  expect(follower.runs().map(({ job }) => job)).toEqual(['c', 'd']);
});

test('a hippo that has read a deleted topic of that name has not read an event of the new one', () => {
  const follower = new Follower();
  follower.follow({ ...event(0), topicId: 'new' }, NOW);
  follower.position('etl', { topic: 'frontier', topicId: 'old', partition: 0, offset: 9n });
  expect(follower.pending(['etl'], follower.positions(), LATER).undecided).toEqual(['etl']);
  follower.position('etl', { topic: 'frontier', topicId: 'new', partition: 0, offset: 1n });
  expect(follower.pending(['etl'], follower.positions(), LATER).undecided).toEqual([]);
});

describe('a ready run of a paused job', () => {
  const key: StateKey = { kind: 'paused', hippo: 'etl', job: 'a' };
  const pause = { by: 'ann@desk', at: NOW };
  const pauseOf = (status: RunStatus, more?: Partial<RunState>): unknown => {
    const follower = new Follower();
    follower.follow(event(0), NOW);
    follower.stateChanged(key, { kind: 'paused', hippo: 'etl', job: 'a', pause }, NOW);
    follower.stateChanged(...run('201701', status, [event(0)], more), NOW);
    return follower.pending(['etl'], follower.positions(), NOW).open[0]?.paused;
  };

  test('is reported with the pause', () => {
    const found = { by: 'ann@desk', reason: null, since: '1970-01-01T00:16:40.000Z' };
    expect(pauseOf('ready')).toEqual(found);
  });

  test.each<[string, RunStatus, Partial<RunState>]>([
    ['asked for by hand', 'ready', { manual: { from: event(9) } }],
    ['waiting for inputs', 'waiting', {}],
    ['running', 'running', {}],
  ])('but not where it is %s', (_, status, more) => {
    expect(pauseOf(status, more)).toBeNull();
  });

  test('is reported without the pause after the job was resumed', () => {
    const follower = new Follower();
    follower.follow(event(0), NOW);
    follower.stateChanged(...run('201701', 'ready', [event(0)]), NOW);
    follower.stateChanged(key, { kind: 'paused', hippo: 'etl', job: 'a', pause }, NOW);
    follower.stateChanged(key, undefined, NOW);
    expect(follower.pending(['etl'], follower.positions(), NOW).open).toMatchObject([{ paused: null }]);
  });
});

describe('an event stands as', () => {
  test.each<[string, (follower: Follower) => void, [Standing, Standing]]>([
    [
      'undecided until its hippo has read it',
      (follower) => hasRead(follower, 'frontier', 1n),
      [is('ended'), is('undecided')],
    ],
    [
      'running while a run of it runs, ended with it',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.started(start('a', event(0)), NOW);
        follower.started(start('b', event(1)), NOW);
        follower.finished(finish('b', true, event(1)), done(0), NOW);
        hasRead(follower, 'finish', 1n);
      },
      [is('running', 1), is('ended', 1)],
    ],
    [
      'undecided again while a hippo has to decide about the finish of its run',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        hasRead(follower, 'finish', 0n);
        follower.finished(finish('a', true, event(0)), done(0), NOW);
      },
      [is('undecided', 1), is('ended')],
    ],
    [
      'running while a run runs that its run has set off',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        hasRead(follower, 'finish', 1n);
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
        hasRead(follower, 'frontier', 2n);
        hasRead(follower, 'finish', 2n);
      },
      [is('ended', 2, true), is('ended')],
    ],
    [
      'waiting where its run needs more, running when that is complete',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'waiting', [event(0)]), NOW);
        follower.stateChanged(...run('201702', 'ready', [event(1)]), NOW);
      },
      [is('waiting'), is('running')],
    ],
    [
      'the same as the other event of the same run',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.started(start('a', event(0), event(1)), NOW);
      },
      [is('running', 1), is('running', 1)],
    ],
    [
      'failed where its run has ended without a message',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'timed-out', [event(0)]), NOW);
      },
      [is('ended', 1, true), is('ended')],
    ],
    [
      'running where it has landed again for a run that runs, or is the request for one',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        const again = { ...event(0), need: 'need', version: 2, values: {}, at: NOW };
        follower.stateChanged(...run('201701', 'running', [], { relanded: { need: again } }), NOW);
        follower.stateChanged(...run('201702', 'ready', [], { manual: { from: event(1) } }), NOW);
      },
      [is('running'), is('running')],
    ],
    [
      'failed where its run is held, ended where the state no longer has its run',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'ready', [event(0)], { held: 'landed again' }), NOW);
        follower.stateChanged(...run('201702', 'running', [event(1)]), NOW);
        follower.stateChanged(run('201702', 'running', [])[0], undefined, NOW);
      },
      [is('ended', 1, true), is('ended')],
    ],
    [
      'running where it is one of the many inputs of a run, told before or after its start',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'running', [], { apart: true }), NOW);
        follower.stateChanged(...part('201701', { landed: event(0) }), NOW);
        follower.started(large('201701'), NOW);
        follower.started(large('201702'), NOW);
        follower.stateChanged(...part('201702', { landed: event(1) }), NOW);
      },
      [is('running', 1), is('running', 1)],
    ],
    [
      'waiting or running where it has landed, first or again, for a run with many inputs',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'waiting', [], { apart: true }), NOW);
        follower.stateChanged(...part('201701', { landed: event(0) }), NOW);
        follower.stateChanged(...run('201702', 'running', [], { apart: true }), NOW);
        follower.stateChanged(...part('201702', { landed: done(7), relanded: event(1) }), NOW);
      },
      [is('waiting'), is('running')],
    ],
    [
      'failed where a run with many inputs has ended without a message, ended where it is forgotten',
      (follower) => {
        hasRead(follower, 'frontier', 2n);
        follower.stateChanged(...run('201701', 'timed-out', [], { apart: true }), NOW);
        follower.stateChanged(...part('201701', { landed: event(0) }), NOW);
        follower.stateChanged(...run('201702', 'waiting', [], { apart: true }), NOW);
        follower.stateChanged(...part('201702', { landed: event(1) }), NOW);
        follower.stateChanged(part('201702', {})[0], undefined, NOW);
      },
      [is('ended', 1, true), is('ended')],
    ],
    [
      'undecided where its hippo reads the topic, and its partition was added since',
      (follower) => follower.position('etl', { topic: 'frontier', partition: 1, offset: 9n }),
      [is('undecided'), is('undecided')],
    ],
    [
      'read where the state of its hippo says so, whatever older positions are told later',
      (follower) => {
        const positions = new Map([['frontier', new Map([[0, 2n]])]]);
        follower.stateChanged(
          { kind: 'offsets', hippo: 'etl' },
          { kind: 'offsets', hippo: 'etl', positions },
          NOW,
        );
        hasRead(follower, 'frontier', 1n);
      },
      [is('ended'), is('ended')],
    ],
  ])('%s', (_, tell, expected) => {
    expect(standings(tell)).toEqual(expected);
  });

  test('undecided while no client runs', () => {
    expect(standings((follower) => hasRead(follower, 'frontier', 2n), [])).toEqual([
      is('undecided'),
      is('undecided'),
    ]);
  });

  test('undecided until every hippo with a client has read it', () => {
    const story = (follower: Follower): void => {
      hasRead(follower, 'frontier', 2n);
      hasRead(follower, 'frontier', 1n, 'slow');
    };
    expect(standings(story, ['etl', 'slow'])).toEqual([is('ended'), is('undecided')]);
  });
});

describe('a chain through tables', () => {
  /** The event that a job has produced. */
  const made = (job: string, hippoName = 'etl'): FrontierEvent => ({
    kind: 'frontier',
    dialect: 'pairs',
    db: 'dm',
    table: job,
    partitions: [[]],
    method: 'partition',
    execDate: 1,
    extra: producedByField({ hippoName, jobName: job, jobId: `${job}_1` }),
  });
  const finishWith = (job: string, count: number, ...causes: RecordRef[]): JobFinish => ({
    ...finish(job, true, ...causes),
    extra: producedField(Array.from({ length: count }, () => ({ table: 't', partition: '', execDate: 1 }))),
  });

  /** What is told of a diamond: a makes what b and c need, and d needs what those make. Each in any order. */
  const tellings: ((follower: Follower) => void)[] = [
    (follower) => follower.started(start('a', event(0)), NOW),
    (follower) => follower.finished(finishWith('a', 1, event(0)), done(0), NOW),
    (follower) => follower.produced(made('a'), event(1), NOW),
    (follower) => follower.started(start('b', event(1)), NOW),
    (follower) => follower.finished(finishWith('b', 1, event(1)), done(1), NOW),
    (follower) => follower.produced(made('b'), event(2), NOW),
    (follower) => follower.finished(finishWith('c', 1, event(1)), done(2), NOW),
    (follower) => follower.produced(made('c'), event(3), NOW),
    (follower) => follower.finished(finish('d', true, event(2), event(3)), done(3), NOW),
    (follower) => follower.produced(made('a', 'other'), event(9), NOW),
  ];

  test.each([
    ['as it happened', tellings],
    ['the other way round', tellings.toReversed()],
    ['events first', [2, 5, 7, 9, 0, 1, 3, 4, 6, 8].map((index) => tellings[index] as (typeof tellings)[0])],
  ])('is followed to its end, told %s', (_, told) => {
    const follower = new Follower();
    follower.follow(event(0), NOW);
    for (const tell of told) tell(follower);
    const runs = follower.runs().toSorted((one, other) => (one.job < other.job ? -1 : 1));
    expect(runs.map(({ job, outcome, because }) => ({ job, outcome, because: because.toSorted() }))).toEqual([
      { job: 'a', outcome: 'succeeded', because: ['frontier/0/0'] },
      { job: 'b', outcome: 'succeeded', because: ['frontier/0/1'] },
      { job: 'c', outcome: 'succeeded', because: ['frontier/0/1'] },
      { job: 'd', outcome: 'succeeded', because: ['frontier/0/2', 'frontier/0/3'] },
    ]);
    expect(follower.awaitsEvents).toBe(false);
    // All events of the chain must have been read, and none of another hippo's.
    hasRead(follower, 'finish', 4n);
    hasRead(follower, 'frontier', 3n);
    expect(follower.pending(['etl'], follower.positions(), LATER).undecided).toEqual(['etl']);
    hasRead(follower, 'frontier', 4n);
    expect(follower.pending(['etl'], follower.positions(), LATER).undecided).toEqual([]);
    expect([...follower.standings(['etl'], follower.positions(), LATER).values()]).toEqual([
      { phase: 'ended', runs: 4, failed: false },
    ]);
  });

  test('awaits the events that a finish message lists', () => {
    const follower = new Follower();
    follower.follow(event(0), NOW);
    follower.finished(finishWith('a', 2, event(0)), done(0), NOW);
    follower.finished(finishWith('stranger', 2, event(7)), done(1), NOW);
    expect(follower.awaitsEvents).toBe(true);
    follower.produced(made('a'), event(1), NOW);
    expect(follower.awaitsEvents).toBe(true);
    follower.produced(made('a'), event(2), NOW);
    expect(follower.awaitsEvents).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { RecordSet } from '../../src/core/record-ref.ts';
import type { HippoGroup, Snapshot } from '../../src/observe/snapshot.ts';
import { unansweredTrigger, unneededEvents } from '../../src/tractor/recoveries/unanswered-trigger.ts';
import type { ReceivedMessage } from '../../src/messages/index.ts';
import { NOON, finish, group, hours, landing, minutes, world } from './world.ts';

const event = landing('btd.party', { yyyymm: '201704' }, NOON - hours(1), '7');
const received: ReceivedMessage = { topic: 'frontier-adw', partition: 1, offset: '7', need: 'btd.party' };

test('read by all, needed by none', () => {
  const groups = [group('etl', 'Stable', { 1: '8' }), group('sales', 'Stable', { 1: '9' })];
  expect(unansweredTrigger.plan(world({ events: [event], groups }), null)).toEqual([
    {
      recovery: 'unanswered-trigger',
      hippo: null,
      job: null,
      run_key: null,
      what: 'btd.party yyyymm=201704',
      why: 'landed 1 h ago; read by etl, sales, needed by none',
      notes: [],
      cause: null,
      command: 'hippo tail frontier-adw --from 1:7 --max 1',
      since: '2026-11-24T11:00:00.000Z',
      pull: false,
      events: [{ topic: 'frontier-adw', partition: 1, offset: '7' }],
    },
  ]);
});

test.each([
  ['no group', [], 'no hippo has ever run with these topics', 'hippo tail frontier-adw --from 1:7 --max 1'],
  [
    'a client that is down',
    [group('etl', 'Empty', { 1: '7' })],
    'no client of etl runs: it has not read it yet',
    "hippo run    (in etl's project)",
  ],
  [
    'a client that is down since before the partition was added',
    [group('etl', 'Empty', { 0: '7' })],
    'no client of etl runs: it has not read it yet',
    "hippo run    (in etl's project)",
  ],
  [
    'two clients that are down, of which one has never read the topic',
    [group('etl', 'Empty'), group('load', 'Dead', { 1: '7' }), group('sales', 'Stable', { 1: '8' })],
    'no client of etl, load runs: they have not read it yet',
    "hippo run    (in etl's project)",
  ],
  [
    'a client that has not read anything yet',
    [group('etl', 'Stable'), group('sales', 'Stable', { 1: '8' })],
    'not read yet by etl',
    'hippo tail frontier-adw --from 1:7 --max 1',
  ],
  [
    'the hippo that has read it is down: it is no reader',
    [group('etl', 'Empty', { 1: '8' }), group('sales', 'Stable', { 1: '8' })],
    'read by sales, needed by none',
    'hippo tail frontier-adw --from 1:7 --max 1',
  ],
  [
    'all that have read it are down',
    [group('etl', 'Empty', { 1: '8' })],
    'no client of etl runs',
    'hippo tail frontier-adw --from 1:7 --max 1',
  ],
  [
    'a client that is slow',
    [group('etl', 'Stable', { 1: '6' })],
    'not read yet by etl',
    'hippo tail frontier-adw --from 1:7 --max 1',
  ],
])('why: %s', (_, groups, why, command) => {
  const [stuck] = unansweredTrigger.plan(world({ events: [event], groups }), null);
  expect(stuck).toMatchObject({ why: `landed 1 h ago; ${why}`, command });
});

test.each([
  [
    'a finish names it',
    { finishes: [finish('etl', 'load', '201704', true, NOON, { receiveMsgs: [received] })] },
  ],
  ['a hippo remembers it', { landed: new RecordSet([event.ref]) }],
])('answered: %s', (_, parts) => {
  expect(unansweredTrigger.plan(world({ events: [event], ...parts }), null)).toEqual([]);
});

test('a later landing of the same partition that was taken answers it; so does the same one told twice', () => {
  const [older, same, other] = [
    landing('btd.party', { yyyymm: '201704' }, NOON - hours(2), '5'),
    landing('btd.party', { yyyymm: '201704' }, NOON - hours(1), '6'),
    landing('btd.party', { yyyymm: '201705' }, NOON - hours(2), '4'),
  ];
  const landed = new RecordSet([event.ref]);
  const plan = unansweredTrigger.plan(world({ events: [other, older, same, event], landed }), null);
  expect(plan.map(({ what }) => what)).toEqual(['btd.party yyyymm=201705']);
});

test('another event of the same table does not answer it', () => {
  const landed = new RecordSet([
    { ...event.ref, offset: '8' },
    { ...event.ref, partition: 0 },
  ]);
  expect(unansweredTrigger.plan(world({ events: [event], landed }), null)).toHaveLength(1);
});

test('a record of a deleted topic, with the same coordinates, does not answer it', () => {
  const [now, former] = ['new', 'old'].map((topicId) => ({ ...event.ref, topicId }));
  const finished = (ref: typeof former) => [
    finish('etl', 'load', '201704', true, NOON, { receiveMsgs: [{ ...received, ...ref }] }),
  ];
  const asked = (parts: Partial<Snapshot>) =>
    unansweredTrigger.plan(world({ events: [{ ...event, ref: now! }], ...parts }), null);
  expect(asked({ landed: new RecordSet([former!]), finishes: finished(former) })).toHaveLength(1);
  expect(asked({ landed: new RecordSet([former!, now!]) })).toEqual([]);
  expect(asked({ finishes: finished(now) })).toEqual([]);
});

describe('an event that a source has announced', () => {
  const announced = {
    ...event,
    message: { ...event.message, extra: { announced_by: { hippo_name: 'frontier', source: 'party' } } },
  };
  const sourcesOnly = group('frontier', 'Empty', { 1: '0' });
  const jobs = new Map([
    ['frontier', { party: 'source' }],
    ['etl', { load: 'day', calls: 'source' }],
  ]);
  const plan = (groups: HippoGroup[], found: typeof event = announced) => {
    const snapshot = world({ events: [found], groups, jobs });
    return [unansweredTrigger.plan(snapshot, null).map(({ why }) => why), unneededEvents(snapshot)];
  };
  const unneeded = [{ table: 'btd.party', events: 1 }];

  test.each<[string, HippoGroup[]]>([
    ['only its own hippo, which has no jobs, is there', [sourcesOnly]],
    ['the hippo with jobs has read it', [sourcesOnly, group('etl', 'Stable', { 1: '8' })]],
    ['the hippo with jobs has read it and is down', [sourcesOnly, group('etl', 'Empty', { 1: '8' })]],
  ])('is not stuck if %s', (_, groups) => {
    expect(plan(groups)).toEqual([[], unneeded]);
  });

  test('is the same if a service has announced it', () => {
    const extra = { announced_by: { hippo_name: 'frontier', service: 'stream' } };
    const found = { ...event, message: { ...event.message, extra } };
    expect(plan([sourcesOnly, group('etl', 'Stable', { 1: '8' })], found)).toEqual([[], unneeded]);
    const why = 'landed 1 h ago; not read yet by etl';
    expect(plan([group('etl', 'Stable', { 1: '7' })], found)).toEqual([[why], []]);
  });

  test('is the same if a job has produced it', () => {
    const extra = { produced_by: { hippo_name: 'etl', job_name: 'load', job_id: 'load_1' } };
    const found = { ...event, message: { ...event.message, extra } };
    expect(plan([sourcesOnly, group('etl', 'Stable', { 1: '8' })], found)).toEqual([[], unneeded]);
    const why = 'landed 1 h ago; not read yet by etl';
    expect(plan([group('etl', 'Stable', { 1: '7' })], found)).toEqual([[why], []]);
  });

  test('may be needed by a hippo that has not read it', () => {
    const why = 'landed 1 h ago; no client of etl runs: it has not read it yet';
    expect(plan([sourcesOnly, group('etl', 'Empty', { 1: '7' })])).toEqual([[why], []]);
    const slow = plan([sourcesOnly, group('etl', 'Stable', { 1: '7' })]);
    expect(slow).toEqual([['landed 1 h ago; not read yet by etl'], []]);
    // What its jobs are is not known.
    const unknown = plan([group('sales', 'Empty')]);
    expect(unknown).toEqual([['landed 1 h ago; no client of sales runs: it has not read it yet'], []]);
  });

  test('another one is stuck as before; a hippo without jobs is no reader of it', () => {
    expect(plan([sourcesOnly], event)).toEqual([['landed 1 h ago; no hippo with these topics has jobs'], []]);
    expect(
      plan([group('frontier', 'Stable', { 1: '8' }), group('etl', 'Stable', { 1: '8' })], event),
    ).toEqual([['landed 1 h ago; read by etl, needed by none'], []]);
  });
});

test('an event that came just now may still be on its way', () => {
  const events = [landing('btd.party', {}, NOON - 9_999)];
  expect(unansweredTrigger.plan(world({ events }), null)).toEqual([]);
});

test('many partitions of a table are one line', () => {
  const events = ['1', '2', '3', '4', '5'].map((day) =>
    landing('a.b', { day }, NOON - minutes(60 - Number(day)), day),
  );
  const [stuck, ...more] = unansweredTrigger.plan(world({ events }), null);
  expect(more).toEqual([]);
  expect(stuck).toMatchObject({
    what: 'a.b day=1 day=2 … day=5 (5)',
    command: 'hippo tail frontier-adw --from 1:5 --max 1',
  });
  expect(stuck?.events).toHaveLength(5);
});

test('an unpartitioned table is named alone', () => {
  const [stuck] = unansweredTrigger.plan(
    world({ events: [landing('a.b', { '': '' }, NOON - hours(1))] }),
    null,
  );
  expect(stuck?.what).toBe('a.b');
});

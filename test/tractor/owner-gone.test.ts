import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownerGone } from '../../src/tractor/recoveries/owner-gone.ts';
import { NOON, group, minutes, run, sign, world } from './world.ts';

const running = run('etl', 'load', '201704', { status: 'running' });

test('runs of a hippo whose group is empty: where it was last seen, and how to start it', () => {
  const snapshot = world({
    runs: [running],
    groups: [group('etl', 'Empty')],
    health: new Map([sign('etl', NOON - minutes(12), '/srv/my hippo')]),
  });
  expect(ownerGone.plan(snapshot, null)).toEqual([
    {
      recovery: 'owner-gone',
      hippo: 'etl',
      job: 'load',
      run_key: '201704',
      what: 'etl: load 201704',
      why: 'no client of etl runs; last sign of life 12 min ago from 10.0.0.4',
      notes: [],
      cause: null,
      command: "cd '/srv/my hippo' && hippo run    (on 10.0.0.4)",
      since: '2026-11-24T08:00:00.000Z',
      pull: false,
      events: [],
    },
  ]);
});

test('a hippo that has no group at all, and has said nothing', () => {
  expect(ownerGone.plan(world({ runs: [running] }), null)).toMatchObject([
    {
      why: 'no client of etl runs; it has given no sign of life',
      command: "hippo run    (in etl's project)",
    },
  ]);
});

test('a project that is here: its own script only where it has one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-gone-'));
  const command = () => {
    const health = new Map([sign('etl', NOON, folder)]);
    return ownerGone.plan(world({ runs: [running], groups: [group('etl', 'Empty')], health }), null)[0]
      ?.command;
  };
  expect(command()).toBe(`cd ${folder} && hippo run`);
  await writeFile(join(folder, 'start-client.sh'), '', { mode: 0o755 });
  expect(command()).toBe(`cd ${folder} && ./start-client.sh`);
  await rm(folder, { recursive: true });
});

test.each(['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Unknown'] as const)(
  'a %s group has an owner',
  (state) => {
    expect(ownerGone.plan(world({ runs: [running], groups: [group('etl', state)] }), null)).toEqual([]);
  },
);

test('what has ended or waits for its inputs needs no client now', () => {
  const runs = (['waiting', 'succeeded', 'failed'] as const).map((status) =>
    run('etl', 'load', status, { status }),
  );
  expect(ownerGone.plan(world({ runs }), null)).toEqual([]);
});

test('many runs are counted', () => {
  const runs = ['a', 'b', 'c', 'd', 'e'].map((key) => run('etl', 'load', key, { status: 'ready' }));
  expect(ownerGone.plan(world({ runs }), null)[0]).toMatchObject({
    what: 'etl: load a, load b, load c, and 2 more',
    job: null,
    run_key: null,
  });
});

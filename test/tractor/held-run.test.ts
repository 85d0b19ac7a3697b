import { expect, test } from 'vitest';
import { heldRun } from '../../src/tractor/recoveries/held-run.ts';
import { run, world } from './world.ts';

test('a run that is held after its inputs landed again', () => {
  const held = { status: 'succeeded' as const, held: 'btd.party landed again after the run' };
  const runs = [run('etl', 'load', '201704', held), run('etl', 'load', '201703', { status: 'succeeded' })];
  expect(heldRun.plan(world({ runs }), null)).toMatchObject([
    {
      what: 'etl/load 201704',
      why: 'btd.party landed again after the run; the hippo does not run it again until you ask for it, or accept it as it is: hippo job mark-success etl/load --key 201704',
      command: 'hippo job run etl/load --key 201704',
      pull: false,
    },
  ]);
  expect(heldRun.plan(world({ runs }), new Set(['other']))).toEqual([]);
});

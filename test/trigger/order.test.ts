import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { otherOrders } from '../../src/trigger/order.ts';
import { renderOtherOrder } from '../../src/ui/trigger.ts';

const needs = [{ any_of: [{ table: 'BTD.party', partition: { dt: '{{ window }}' } }] }];

test('the jobs whose runs do not start in the order in which a range is published backwards', () => {
  const config = parseConfig({
    jobs: {
      usual: { every: 'day', needs },
      newest: { every: 'day', needs, order: 'newest' },
      several: { every: 'day', needs, order: 'arrival', concurrency: 2 },
      inOrder: { every: 'day', needs, order: 'arrival' },
      event: { needs: [{ table: 'btd.party' }] },
      other: { every: 'day', needs: [{ table: 'btd.branch', partition: { dt: '{{ window }}' } }] },
    },
  });
  const found = otherOrders(['btd.party'], config);
  expect(found).toEqual([
    { job: 'usual', order: 'oldest', concurrency: 1 },
    { job: 'newest', order: 'newest', concurrency: 1 },
    { job: 'several', order: 'arrival', concurrency: 2 },
  ]);
  const [usual] = found.map(renderOtherOrder);
  expect(usual?.split('\n')).toEqual([
    '! The runs of usual do not start newest first: it has order: oldest. Runs start',
    '  in the order of the events with',
    '  → order: arrival, concurrency: 1    (jobs.usual in hippo.yaml)',
  ]);
});

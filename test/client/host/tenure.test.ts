import { expect, it } from 'vitest';
import { Tenure } from '../../../src/client/host/tenure.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;

it('a tenure ends with the loss, and says why', async () => {
  const tenure = new Tenure();
  const waiting = tenure.next(never);
  expect(tenure.isOwner).toBe(false);
  tenure.gained();
  tenure.gained();
  const first = await waiting;
  expect(await tenure.next(never)).toBe(first);
  tenure.lost('a rebalance');
  expect([first?.aborted, (first?.reason as Error).message, tenure.isOwner]).toEqual([
    true,
    'a rebalance',
    false,
  ]);
  tenure.gained();
  const second = await tenure.next(never);
  expect(second).not.toBe(first);
  expect(second?.aborted).toBe(false);
});

it('patience ends by itself, by another owner, or by a stop', async () => {
  expect(await new Tenure().next(never, 1)).toBe(null);

  const passed = new Tenure();
  passed.gained();
  passed.lost('silence');
  const patient = passed.next(never, HOUR);
  passed.passed();
  expect(await patient).toBe(null);

  const stop = new AbortController();
  const stopped = new Tenure().next(stop.signal);
  stop.abort();
  expect(await stopped).toBe(null);
  const late = new Tenure();
  late.gained();
  expect(await late.next(stop.signal)).toBe(null);
});

it('another owner of an earlier time is no reason to lose patience', async () => {
  const tenure = new Tenure();
  tenure.passed();
  tenure.gained();
  tenure.lost('silence');
  const patient = tenure.next(never, HOUR);
  tenure.gained();
  expect(await patient).toBeInstanceOf(AbortSignal);
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lease } from '../../../../src/client/host/services/lease.ts';

/** A tenth of it is the margin. */
const SESSION = 10_000;
const GRACE = 4_000;

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

function make(): { lease: Lease; told: string[] } {
  const told: string[] = [];
  const guard = {
    lease: (group: number) => void told.push(`lease ${group}`),
    renew: (millis: number) => void told.push(`renew ${millis}`),
    forget: (group: number) => void told.push(`forget ${group}`),
  };
  return { lease: new Lease(guard, SESSION, GRACE), told };
}

it('ends so early that what it holds can be killed within the session', () => {
  const { lease, told } = make();
  expect(lease.remaining).toBeLessThanOrEqual(0);
  lease.renew(performance.now());
  expect(lease.remaining).toBe(5_000);
  lease.hold(7);
  vi.advanceTimersByTime(5_000);
  expect(lease.remaining).toBe(0);
  expect(lease.hasLapsedSince(performance.now())).toBe(true);
  expect(told).toEqual(['renew 5000', 'lease 7', 'renew 5000']);
});

it('an answer counts from when it was asked for, and an old one not at all', () => {
  const { lease, told } = make();
  const asked = performance.now();
  vi.advanceTimersByTime(2_000);
  lease.renew(asked);
  expect(lease.remaining).toBe(3_000);
  const next = performance.now();
  // The process is frozen.
  vi.advanceTimersByTime(60_000);
  lease.renew(next);
  expect(lease.remaining).toBeLessThan(0);
  expect(told).toEqual(['renew 3000']);
});

it('remembers that it was over in between', () => {
  const { lease } = make();
  lease.renew(performance.now());
  const begun = performance.now();
  vi.advanceTimersByTime(4_000);
  lease.renew(performance.now());
  expect(lease.hasLapsedSince(begun)).toBe(false);
  vi.advanceTimersByTime(5_001);
  lease.renew(performance.now());
  expect(lease.remaining).toBe(5_000);
  expect(lease.hasLapsedSince(begun)).toBe(true);
  expect(lease.hasLapsedSince(performance.now())).toBe(false);
});

import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import '../../../src/kafka/wire/patches.ts';

/** A queue as a connection has it, with one request that waits or none. */
function queue({ pending, throttledUntil }: { pending: unknown[]; throttledUntil: number }): RequestQueue {
  return Object.assign(Object.create(RequestQueue.prototype) as RequestQueue, {
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
  });
}

const NOW = Date.parse('2017-04-28T16:00:00Z');
const NEVER = -1;

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

test.each([
  { what: 'nothing waits', pending: [], throttledUntil: NEVER, delays: [] },
  { what: 'nothing waits while the broker throttles', pending: [], throttledUntil: NOW + 500, delays: [] },
  { what: 'a request waits', pending: [{}], throttledUntil: NEVER, delays: [10] },
  { what: 'a request waits for its quota', pending: [{}], throttledUntil: NOW + 500, delays: [500] },
  { what: 'a request waits, its quota is there', pending: [{}], throttledUntil: NOW - 500, delays: [10] },
  { what: 'a request waits, its quota is just there', pending: [{}], throttledUntil: NOW, delays: [10] },
])("kafkajs's queue sets no timer with a negative delay: $what", ({ delays, ...state }) => {
  const setTimeout = vi.spyOn(globalThis, 'setTimeout');
  queue(state).scheduleCheckPendingRequests();
  expect(setTimeout.mock.calls.map(([, delay]) => delay)).toEqual(delays);
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { pauseAfter } from '../../src/core/backoff.ts';
import { Retry, deadlineSignal, pause, poll, pollStart, within } from '../../src/core/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  // Whatever has ended has left no timer behind.
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** When a promise settled, in milliseconds from now on, and how. */
async function outcome(promise: Promise<unknown>): Promise<[at: number, how: unknown]> {
  const start = Date.now();
  let result: [number, unknown] | undefined;
  promise.then(
    (value) => (result = [Date.now() - start, value]),
    (error: unknown) => (result = [Date.now() - start, error]),
  );
  while (result === undefined) await vi.advanceTimersByTimeAsync(1);
  return result;
}

describe('pauseAfter', () => {
  test.each([
    [1, 250],
    [2, 500],
    [3, 1_000],
    [5, 4_000],
    [6, 5_000],
    [100_000, 5_000],
  ])('after %i failures: %i ms', (failures, millis) => {
    expect(pauseAfter(failures, { first: 250, most: 5_000 })).toBe(millis);
  });

  test('without a pause there is none after any number of failures', () => {
    expect(pauseAfter(5_000, { first: 0, most: 1_000 })).toBe(0);
  });
});

describe('pause', () => {
  test('ends after its time', async () => {
    expect(await outcome(pause(80))).toEqual([80, undefined]);
  });

  test('ends when the signal is aborted, also when it was before', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    expect(await outcome(pause(80, stop.signal))).toEqual([30, undefined]);
    expect((await outcome(pause(80, stop.signal)))[0]).toBeLessThanOrEqual(1);
  });
});

describe('within', () => {
  const late = (): string => 'late';

  test('gives what the work comes to in time', async () => {
    const work = pause(50).then(() => 'done');
    expect(await outcome(within(work, { millis: 100, late }))).toEqual([50, 'done']);
  });

  test('throws what the work throws in time', async () => {
    const error = new Error('broken');
    const work = pause(50).then(() => Promise.reject(error));
    expect(await outcome(within(work, { millis: 100, late: () => undefined as never }))).toEqual([50, error]);
  });

  test('gives or throws what `late` does, and ignores what the work does after that', async () => {
    const broken = (): Promise<string> => pause(200).then(() => Promise.reject(new Error('ignored')));
    expect(await outcome(within(broken(), { millis: 100, late }))).toEqual([100, 'late']);
    const error = new Error('no answer');
    const fail = (): never => {
      throw error;
    };
    expect(await outcome(within(broken(), { millis: 100, late: fail }))).toEqual([100, error]);
    await vi.advanceTimersByTimeAsync(200);
  });

  test("throws the signal's reason", async () => {
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    setTimeout(() => stop.abort(reason), 30);
    const never = (): Promise<string> => new Promise(() => undefined);
    expect(await outcome(within(never(), { millis: 100, late, signal: stop.signal }))).toEqual([30, reason]);
    await expect(within(never(), { millis: 100, late, signal: stop.signal })).rejects.toBe(reason);
  });
});

test('deadlineSignal is aborted after its time, with the given error', async () => {
  const error = new Error('not confirmed');
  const signal = deadlineSignal(100, () => error);
  await vi.advanceTimersByTimeAsync(99);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(signal.reason).toBe(error);
});

describe('poll', () => {
  test('looks until it is so', async () => {
    let looks = 0;
    const isSo = (): boolean => (looks += 1) === 4;
    expect(await outcome(poll(isSo, { every: 25, millis: 1_000 }))).toEqual([75, true]);
  });

  test('gives up when the time is over, after a last look', async () => {
    const start = Date.now();
    const looks: number[] = [];
    const isSo = (): Promise<boolean> => {
      looks.push(Date.now() - start);
      return Promise.resolve(false);
    };
    expect(await outcome(poll(isSo, { every: 25, millis: 60 }))).toEqual([75, false]);
    expect(looks).toEqual([0, 25, 50, 75]);
  });

  test("throws the signal's reason", async () => {
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    setTimeout(() => stop.abort(reason), 30);
    expect(await outcome(poll(() => false, { every: 25, millis: 1_000, signal: stop.signal }))).toEqual([
      30,
      reason,
    ]);
  });
});

describe('Retry', () => {
  test('waits longer after each failure, and a success begins anew; each pause is up to a tenth longer or shorter', async () => {
    const retry = new Retry({ first: 100, most: 350 });
    const pauses: number[] = [];
    for (let failures = 0; failures < 4; failures += 1) pauses.push((await outcome(retry.pause()))[0]);
    retry.reset();
    pauses.push((await outcome(retry.pause()))[0]);
    for (const [index, usual] of [100, 200, 350, 350, 100].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(usual * 0.9);
      expect(pauses[index]).toBeLessThanOrEqual(usual * 1.1 + 1);
    }
  });
});

describe('pollStart', () => {
  const every = 25;
  const quiet = 100;
  const readyAt = (at: number) => {
    const start = Date.now();
    return () => Date.now() - start >= at;
  };
  /** Changes until a time. */
  const signUntil = (end: number) => {
    const start = Date.now();
    return () => Math.min(Date.now() - start, end);
  };

  test.each([
    ['ready at once', 0, 0, [0, 'ready']],
    ['ready late, alive all the while', 400, 400, [400, 'ready']],
    ['ready just before it counts as silent', 290, 200, [300, 'ready']],
    ['without a sign of life', 9_999, 200, [300, 'silent']],
    ['alive for ever', 9_999, 9_999, [500, 'late']],
  ])('%s', async (_, ready, alive, expected) => {
    const start = pollStart(readyAt(ready), { every, quiet, millis: 500, sign: signUntil(alive) });
    expect(await outcome(start)).toEqual(expected);
  });
});

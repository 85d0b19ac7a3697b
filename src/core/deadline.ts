/** Waiting with an end: pauses, time limits, retries and polling. All times are milliseconds. */
import { type Backoff, pauseAfter } from './backoff.ts';
import type { Millis } from './clock.ts';

/** Resolves after `millis`, or as soon as the signal is aborted. */
export function pause(millis: Millis, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, millis);
    signal?.addEventListener('abort', end);
  });
}

export interface Limit<T> {
  millis: Millis;
  /** What to resolve with when the time is over; may throw instead. */
  late: () => T;
  /** Gives up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/** What `work` resolves to, or what `late` returns after `millis`. What the work does after that is ignored. */
export async function within<T>(work: Promise<T>, { millis, late, signal }: Limit<T>): Promise<T> {
  work.catch(() => undefined);
  signal?.throwIfAborted();
  const limit = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    try {
      limit.resolve(late());
    } catch (error) {
      limit.reject(error);
    }
  }, millis);
  const stop = (): void => limit.reject(signal?.reason);
  signal?.addEventListener('abort', stop);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** A signal that is aborted after `millis` with the error that `late` returns. It keeps no process alive. */
export function deadlineSignal(millis: Millis, late: () => Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(late()), millis).unref();
  return controller.signal;
}

export interface Polling {
  /** Between two looks. */
  every: Millis;
  /** When to give up. */
  millis: Millis;
  /** Throws its reason between two looks when it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Looks until `isSo` says true.
 *
 * @returns false when the time is over; the last look comes after it
 */
export async function poll(
  isSo: () => boolean | Promise<boolean>,
  { every, millis, signal }: Polling,
): Promise<boolean> {
  const end = performance.now() + millis;
  for (;;) {
    const isLast = performance.now() >= end;
    if (await isSo()) return true;
    if (isLast) return false;
    await pause(every, signal);
    signal?.throwIfAborted();
  }
}

export interface StartPolling extends Polling {
  /** How long the process may show no sign of life before it is given up. */
  quiet: Millis;
  /** A number that changes while the process is at work, such as the size of its log. */
  sign: () => number | Promise<number>;
}

/**
 * Looks until a process that was started is ready. A slow machine may take many times longer than a fast one, so the
 * process keeps its time as long as it shows that it is alive.
 *
 * @returns `silent` when nothing changed for `quiet`, `late` when `millis` are over
 */
export async function pollStart(
  isReady: () => boolean | Promise<boolean>,
  { quiet, sign, millis, ...polling }: StartPolling,
): Promise<'ready' | 'silent' | 'late'> {
  let last = { sign: await sign(), at: performance.now() };
  let outcome: 'ready' | 'silent' | undefined;
  const isSettled = async (): Promise<boolean> => {
    if (await isReady()) {
      outcome = 'ready';
      return true;
    }
    const now = { sign: await sign(), at: performance.now() };
    if (now.sign !== last.sign) last = now;
    if (now.at - last.at >= quiet) outcome = 'silent';
    return outcome !== undefined;
  };
  await poll(isSettled, { ...polling, millis });
  return outcome ?? 'late';
}

/** Up to a tenth more or less, so that clients that failed together do not try again together. */
const JITTER = 0.1;

/** Counts the failures in a row of something that is tried again, and waits longer after each. */
export class Retry {
  readonly #backoff: Backoff;
  #failures = 0;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** After a failure; ends early when the signal is aborted. */
  async pause(signal?: AbortSignal): Promise<void> {
    this.#failures += 1;
    const jitter = 1 + (Math.random() * 2 - 1) * JITTER;
    await pause(pauseAfter(this.#failures, this.#backoff) * jitter, signal);
  }

  /** After a success. */
  reset(): void {
    this.#failures = 0;
  }
}

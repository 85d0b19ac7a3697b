/** Resolves after `millis`; does not keep the process alive by itself when `unref` is set. */
export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/**
 * The promise, or `late()` thrown after `millis`, or the signal's reason when it is aborted. What the promise does later is
 * ignored.
 */
export async function within<T>(
  millis: number,
  promise: Promise<T>,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const gaveUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => gaveUp.reject(late()), millis);
  const stop = (): void => gaveUp.reject(signal?.reason);
  signal?.addEventListener('abort', stop);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, gaveUp.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** Pauses between tries, milliseconds: doubling from `first` to `most`, with up to a fifth of jitter. */
export class Backoff {
  #next: number;
  readonly #first: number;
  readonly #most: number;

  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
    this.#next = first;
  }

  async pause(): Promise<void> {
    const millis = this.#next * (0.9 + Math.random() * 0.2);
    this.#next = Math.min(this.#next * 2, this.#most);
    await sleep(millis);
  }

  reset(): void {
    this.#next = this.#first;
  }
}

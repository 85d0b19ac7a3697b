/** Resolves after `millis`; does not keep the process alive by itself when `unref` is set. */
export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/**
 * The promise, or `late()` thrown after `millis`. What the promise does later is ignored.
 */
export async function within<T>(millis: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  promise.catch(() => undefined);
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), millis);
      }),
    ]);
  } finally {
    clearTimeout(timer);
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

import { setImmediate } from 'node:timers/promises';
import type { Millis } from '../core/clock.ts';

/** So long may work hold the event loop, milliseconds; requests that wait for it are answered then. */
const MOST_AT_ONCE: Millis = 2;

/** Cuts long work into steps, between which the event loop turns. */
export class Pace {
  readonly #signal: AbortSignal;
  #began = performance.now();

  /** @param signal its reason is thrown between two steps */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Call it after each step. A step takes less than a millisecond. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#began < MOST_AT_ONCE) return;
    await setImmediate();
    this.#signal.throwIfAborted();
    this.#began = performance.now();
  }

  /**
   * Does something with the numbers from 0 to `count` - 1, `size` of them in a step.
   *
   * @param work gets the first number of the step and that after its last
   */
  async inSteps(count: number, size: number, work: (from: number, to: number) => void): Promise<void> {
    for (let from = 0; from < count; from += size) {
      work(from, Math.min(from + size, count));
      await this.breathe();
    }
  }
}

/** The factors of all items, and which of them have the highest dot products with a user's. */
import type { Best } from './best.ts';

export class Items {
  readonly #factors: Float32Array;
  readonly #count: number;
  readonly #rank: number;

  constructor(factors: Float32Array, count: number, rank: number) {
    this.#factors = factors;
    this.#count = count;
    this.#rank = rank;
  }

  get bytes(): number {
    return this.#factors.byteLength;
  }

  /**
   * Offers the items that may be among the best.
   *
   * @param user as many numbers as the rank
   * @param leftOut by item row: 1 where the item is not offered
   */
  offerTo(best: Best, user: Float32Array, leftOut: Uint8Array): void {
    for (let row = 0; row < this.#count; row += 1) {
      if (leftOut[row] === 1) continue;
      let sum = 0;
      for (let at = 0; at < this.#rank; at += 1)
        sum += (user[at] ?? 0) * (this.#factors[row * this.#rank + at] ?? 0);
      best.offer(row, sum);
    }
  }

  dispose(): void {
    (this.#factors.buffer as ArrayBuffer).transfer(0);
  }
}

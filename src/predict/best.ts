/** The best of many: a heap of bounded size, whose root is the worst of what it holds. */

export interface Scored {
  readonly row: number;
  readonly score: number;
}

export class Best {
  readonly #most: number;
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];

  /** @param most so many are kept, 1 or more */
  constructor(most: number) {
    this.#most = most;
  }

  /** What is worse than this is not among the best; -Infinity while there is room for anything. */
  get least(): number {
    return this.#rows.length < this.#most ? -Infinity : (this.#scores[0] ?? -Infinity);
  }

  /** Of equal scores the smaller row is better. Each row comes once. */
  offer(row: number, score: number): void {
    if (this.#rows.length < this.#most) {
      this.#rows.push(row);
      this.#scores.push(score);
      this.#rise(this.#rows.length - 1);
    } else if (this.#isWorse(0, row, score)) {
      this.#put(0, row, score);
      this.#sink();
    }
  }

  /** Best first. */
  sorted(): Scored[] {
    return this.#rows
      .map((row, at) => ({ row, score: this.#scores[at] ?? 0 }))
      .sort((one, other) => other.score - one.score || one.row - other.row);
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isWorse(at, this.#rowAt(parent), this.#scoreAt(parent))) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    const { length } = this.#rows;
    let at = 0;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < length && this.#isWorse(child, this.#rowAt(worst), this.#scoreAt(worst))) worst = child;
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }

  /** Whether the one at this place is worse than that of a row with a score. */
  #isWorse(at: number, row: number, score: number): boolean {
    const mine = this.#scoreAt(at);
    return mine < score || (mine === score && this.#rowAt(at) > row);
  }

  #swap(one: number, other: number): void {
    const [row, score] = [this.#rowAt(one), this.#scoreAt(one)];
    this.#put(one, this.#rowAt(other), this.#scoreAt(other));
    this.#put(other, row, score);
  }

  #put(at: number, row: number, score: number): void {
    this.#rows[at] = row;
    this.#scores[at] = score;
  }

  #rowAt(at: number): number {
    return this.#rows[at] ?? 0;
  }

  #scoreAt(at: number): number {
    return this.#scores[at] ?? 0;
  }
}

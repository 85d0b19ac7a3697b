/** What an empty list begins with; it grows as it fills. */
const FIRST_LENGTH = 64;

/**
 * The ordinals of the records in one batch: of each record how many were appended before it. They only grow. Four bytes a record
 * (its distance from the first one), in memory that another batch can use later: arrays of a batch's lifetime would outlive
 * the young generation, and fill the heap while millions of records are written.
 */
export class Ordinals {
  #first = 0;
  #length = 0;
  #distances: Uint32Array;

  /** @param memory of a list that is not used any more */
  constructor(memory: Uint32Array = new Uint32Array(FIRST_LENGTH)) {
    this.#distances = memory;
  }

  /** undefined while it is empty */
  get first(): number | undefined {
    return this.#length === 0 ? undefined : this.#first;
  }

  /** For another list, once this one is not used any more. */
  get memory(): Uint32Array {
    return this.#distances;
  }

  push(ordinal: number): void {
    if (this.#length === 0) this.#first = ordinal;
    if (this.#length === this.#distances.length) {
      const longer = new Uint32Array(2 * this.#length);
      longer.set(this.#distances);
      this.#distances = longer;
    }
    this.#distances[this.#length] = ordinal - this.#first;
    this.#length += 1;
  }

  /** @param count how many the first part gets */
  split(count: number): [first: Ordinals, second: Ordinals] {
    const parts: [Ordinals, Ordinals] = [new Ordinals(), new Ordinals()];
    for (let index = 0; index < this.#length; index++)
      parts[index < count ? 0 : 1].push(this.#first + (this.#distances[index] ?? 0));
    return parts;
  }
}

import type { HippoError } from '../core/errors.ts';

/** Events that one partition could not take, while others could. */
export interface Unpublished {
  topic: string;
  partition: number;
  events: number;
  first: {
    /** Which of the events, from 1; of a file: the line. */
    n: number;
    /** null: not known, as in a file that went out as fast as could be. */
    table: string | null;
    partition_path: string | null;
  };
  reason: string;
}

/** What is known of an event that could not be published. */
export type LostEvent = Unpublished['first'];

/** Counts the events that could not be published, by partition. */
export class Losses {
  readonly #byPartition = new Map<string, Unpublished>();
  readonly #onFirst: (error: HippoError) => void;
  #error: HippoError | undefined;
  #count = 0;

  /** @param onFirst told of each partition once, when it is given up */
  constructor(onFirst: (error: HippoError) => void) {
    this.#onFirst = onFirst;
  }

  /** Why the first of them could not be published. */
  get error(): HippoError | undefined {
    return this.#error;
  }

  /** Of all partitions. */
  get count(): number {
    return this.#count;
  }

  get list(): Unpublished[] {
    return [...this.#byPartition.values()];
  }

  /** The first of them in the order of publishing. */
  get first(): LostEvent | undefined {
    return this.list.map(({ first }) => first).sort((a, b) => a.n - b.n)[0];
  }

  /** @param first what is known of the first of these events; called in their order within a partition */
  add(
    { topic, partition }: { topic: string; partition: number },
    events: number,
    first: LostEvent,
    error: HippoError,
  ): void {
    this.#count += events;
    const key = `${topic} ${partition}`;
    const known = this.#byPartition.get(key);
    if (known !== undefined) {
      known.events += events;
      return;
    }
    this.#error ??= error;
    this.#byPartition.set(key, { topic, partition, events, first, reason: error.message });
    this.#onFirst(error);
  }
}

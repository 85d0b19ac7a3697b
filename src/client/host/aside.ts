import type { HippoError } from '../../core/errors.ts';
import { DeniedError } from '../../kafka/failures.ts';
import type { Trouble } from '../../kafka/port.ts';
import type { ClientLog } from './client-event.ts';

/** After a new start of reading, so long may it take until all that cannot be read is told again, milliseconds. */
const SETTLING = 10_000;

interface Entry {
  error: HippoError;
  /** null: all of the topic. */
  partitions: Set<number> | null;
  /** Told since reading has started. */
  isConfirmed: boolean;
}

/**
 * The input partitions that the owner does not read for now: a right or a leader is missing. Runs that need something from
 * there wait; all else goes on. Each trouble is logged once, and once more when it is over.
 */
export class Aside {
  readonly #log: ClientLog;
  /** By topic. */
  readonly #topics = new Map<string, Entry>();
  #startedAt = 0;
  #isSettled = false;

  constructor(log: ClientLog) {
    this.#log = log;
  }

  /** Why the first of them is not read; undefined where all are. */
  get error(): HippoError | undefined {
    return [...this.#topics.values()][0]?.error;
  }

  /** Of these, the topics that may not be read, or whose dead letters may not be written. */
  get denials(): DeniedError[] {
    return [...this.#topics.values()].flatMap(({ error }) => (error instanceof DeniedError ? [error] : []));
  }

  /** All that cannot be read has been told since reading has started. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  has(topic: string, partition: number): boolean {
    const known = this.#topics.get(topic);
    return known !== undefined && (known.partitions === null || known.partitions.has(partition));
  }

  /** Takes in what a reader, or a question for offsets, says. */
  told({ places, error }: Trouble): void {
    for (const [topic, members] of Map.groupBy(places, (place) => place.topic)) {
      const numbers = members.flatMap(({ partition }) => (partition === undefined ? [] : [partition]));
      if (error === null) this.back(topic, numbers);
      else this.add(topic, error, numbers.length === 0 ? null : numbers);
    }
  }

  /** @param partitions null: all of the topic */
  add(topic: string, error: HippoError, partitions: readonly number[] | null): void {
    const known = this.#topics.get(topic);
    const all = partitions === null || known?.partitions === null;
    const numbers = all ? null : new Set([...(known?.partitions ?? []), ...partitions]);
    this.#topics.set(topic, { error, partitions: numbers, isConfirmed: true });
    if (known?.error.message === error.message) return;
    this.#log({
      event: 'notice',
      level: 'error',
      text: [
        `${error.message}.`,
        error.why ?? '',
        `Runs that need a message of ${topic} wait; everything else goes on.`,
        error.next[0] === undefined ? '' : `Remedy: ${error.next[0]}`,
      ]
        .filter((sentence) => sentence !== '')
        .join(' '),
    });
  }

  /** Reading starts again: what still cannot be read will be told again. */
  restart(): void {
    this.#startedAt = performance.now();
    this.#isSettled = false;
    for (const entry of this.#topics.values()) entry.isConfirmed = false;
  }

  /** Called now and then: what was not told again for a while is over. */
  settle(): void {
    if (performance.now() - this.#startedAt < SETTLING) return;
    for (const [topic, { isConfirmed }] of this.#topics) if (!isConfirmed) this.back(topic, null);
    this.#isSettled = true;
  }

  /** @param partitions null: all of the topic */
  back(topic: string, partitions: readonly number[] | null): void {
    const known = this.#topics.get(topic);
    if (known === undefined) return;
    for (const partition of partitions ?? []) known.partitions?.delete(partition);
    if (partitions !== null && known.partitions !== null && known.partitions.size > 0) return;
    this.#topics.delete(topic);
    this.#log({ event: 'notice', level: 'info', text: `${topic} can be read again` });
  }
}

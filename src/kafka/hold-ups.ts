import type { Millis } from '../core/clock.ts';
import { pause } from '../core/deadline.ts';
import type { Kafka, OffsetRange, OpenTransaction, TopicPartition } from './port.ts';

/** What has changed since the last look. */
export interface HoldUpChange {
  /** Open transactions that have hidden records for a while. */
  found: OpenTransaction[];
  /** Those found earlier that hide nothing any more. */
  over: OpenTransaction[];
}

interface Suspect {
  stable: bigint;
  /** By performance.now(). */
  since: Millis;
  told: OpenTransaction | null;
}

type Matters = (range: TopicPartition & Pick<OffsetRange, 'stable'>) => boolean;

/**
 * Finds the partitions whose last stable offset does not move although records stand behind it: an open transaction hides them
 * from readers of committed records. A transaction in flight is normal, so only one that stays is told.
 */
export class HoldUps {
  readonly #kafka: Pick<Kafka, 'offsets' | 'openTransactions'>;
  readonly #patience: Millis;
  readonly #suspects = new Map<string, Suspect>();

  /** @param patience how long a partition must have been held up when it is told, milliseconds */
  constructor(kafka: Pick<Kafka, 'offsets' | 'openTransactions'>, patience: Millis) {
    this.#kafka = kafka;
    this.#patience = patience;
  }

  /** The open transactions that were told and are not over. */
  get open(): OpenTransaction[] {
    return [...this.#suspects.values()].flatMap(({ told }) => told ?? []);
  }

  /** Whether the last look saw a partition that is held up. */
  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  /**
   * Never throws: it only explains. Topics that cannot be asked about are left out.
   *
   * @param matters which partitions count; left out: all of them
   */
  async look(topics: readonly string[], matters: Matters = () => true): Promise<HoldUpChange> {
    const perTopic = await Promise.all(topics.map((topic) => this.#heldIn(topic)));
    const now = performance.now();
    const held = perTopic.flat().filter(matters);
    const over: OpenTransaction[] = [];
    for (const [id, { stable, told }] of this.#suspects) {
      if (held.some((each) => idOf(each) === id && each.stable === stable)) continue;
      this.#suspects.delete(id);
      if (told !== null) over.push(told);
    }
    for (const each of held) {
      if (!this.#suspects.has(idOf(each)))
        this.#suspects.set(idOf(each), { stable: each.stable, since: now, told: null });
    }
    const overdue = held.filter((each) => {
      const suspect = this.#suspects.get(idOf(each));
      return suspect?.told === null && now - suspect.since >= this.#patience;
    });
    const asked = overdue.map(({ topic, partition, stable }) => ({ topic, partition, offset: stable }));
    const found =
      asked.length === 0 ? [] : await this.#kafka.openTransactions(asked).catch((): OpenTransaction[] => []);
    for (const transaction of found) {
      const suspect = this.#suspects.get(idOf(transaction));
      if (suspect !== undefined) suspect.told = transaction;
    }
    return { found, over };
  }

  async #heldIn(topic: string): Promise<(TopicPartition & OffsetRange)[]> {
    const ranges = await this.#kafka.offsets(topic, () => undefined).catch((): OffsetRange[] => []);
    return ranges.filter(({ stable, high }) => stable < high).map((range) => ({ topic, ...range }));
  }
}

/** Between the two looks of {@link standingHoldUps}, milliseconds. */
const SECOND_LOOK = 1_000;

/**
 * For a command that ends: the open transactions that hide records now and did so a second ago. Where none does at the first look,
 * which is the rule, it costs one question for the offsets of each topic.
 *
 * @param matters which partitions count; left out: all of them
 */
export async function standingHoldUps(
  kafka: Pick<Kafka, 'offsets' | 'openTransactions'>,
  topics: readonly string[],
  { matters, signal }: { matters?: Matters; signal?: AbortSignal } = {},
): Promise<OpenTransaction[]> {
  const holdUps = new HoldUps(kafka, SECOND_LOOK / 2);
  await holdUps.look(topics, matters);
  if (!holdUps.hasSuspects) return [];
  await pause(SECOND_LOOK, signal);
  return (await holdUps.look(topics, matters)).found;
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

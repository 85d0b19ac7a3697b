import { type Millis, epochSeconds, isoSecond } from '../../core/clock.ts';
import type { LeaderlessError } from '../../kafka/failures.ts';
import { partitionForKey } from '../../kafka/partitioner.ts';
import type { OutgoingRecord, TopicInfo, TopicPartition } from '../../kafka/port.ts';
import { leaderless } from '../../kafka/errors.ts';
import type { ClientLog } from './client-event.ts';

/** A partition that the owner writes to and that has no leader. */
export interface UnwritablePlace extends TopicPartition {
  /** When the owner noticed, epoch milliseconds. */
  since: Millis;
  error: LeaderlessError;
  /** What was said of it: each is said once. */
  told: Set<string>;
}

/**
 * The partitions without a leader of the topics that the owner publishes to. A step of the machine whose message would go there
 * does not happen: its records and its message are written together or not at all. Why they must be known before a transaction
 * begins: docs/decisions/partitions-without-a-leader.md.
 */
export class Unwritable {
  readonly #log: ClientLog;
  /** By topic: how many partitions it has. */
  readonly #sizes = new Map<string, number>();
  readonly #places = new Map<string, UnwritablePlace>();

  constructor(log: ClientLog) {
    this.#log = log;
  }

  /** Why the first of them cannot be written to; undefined where all can. */
  get error(): LeaderlessError | undefined {
    return [...this.#places.values()][0]?.error;
  }

  /**
   * Takes in which partitions have no leader.
   *
   * @param infos of the topics that the owner publishes to
   * @returns those that are new
   */
  learn(infos: readonly TopicInfo[], brokers: readonly string[], at: Millis): UnwritablePlace[] {
    const found: UnwritablePlace[] = [];
    for (const { topic, partitions } of infos) {
      this.#sizes.set(topic, partitions.length);
      for (const { partition, leader } of partitions) {
        if (leader >= 0 || this.#places.has(idOf({ topic, partition }))) continue;
        const error = leaderless(topic, [partition], brokers);
        const place = { topic, partition, since: at, error, told: new Set<string>() };
        this.#places.set(idOf(place), place);
        found.push(place);
      }
    }
    return found;
  }

  /** Forgets those that have a leader again, or are gone, and says so where it was said. @returns whether there are such */
  renew(infos: readonly TopicInfo[]): boolean {
    let isOver = false;
    for (const [id, { topic, partition, since, told }] of this.#places) {
      const info = infos.find((each) => each.topic === topic);
      if (info?.partitions.some((each) => each.partition === partition && each.leader < 0) === true) continue;
      this.#places.delete(id);
      isOver = true;
      if (told.size === 0) continue;
      const text = `${topic}[${partition}] has a leader again; it had none since ${isoSecond(epochSeconds(since))}`;
      this.#log({ event: 'notice', level: 'info', text });
    }
    return isOver;
  }

  /** The topics that they are of. */
  get topics(): string[] {
    return [...new Set([...this.#places.values()].map(({ topic }) => topic))];
  }

  /** The first of them in this topic. */
  placeIn(topic: string | undefined): UnwritablePlace | undefined {
    return [...this.#places.values()].find((place) => place.topic === topic);
  }

  /** Where one of the records would go and cannot. */
  placeOf(records: readonly OutgoingRecord[]): UnwritablePlace | undefined {
    if (this.#places.size === 0) return undefined;
    for (const { topic, key = null, partition } of records) {
      const size = this.#sizes.get(topic);
      if (size === undefined) continue;
      // As a transactional producer chooses it.
      const chosen = partition ?? (key === null ? 0 : partitionForKey(key, size));
      const place = this.#places.get(idOf({ topic, partition: chosen }));
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** Says what waits for a leader there, once. */
  tell({ error, since, told }: UnwritablePlace, waits: string): void {
    if (told.has(waits)) return;
    told.add(waits);
    const remedy = error.next[0] === undefined ? '' : ` Remedy: ${error.next[0]}`;
    this.#log({
      event: 'notice',
      level: 'error',
      text: `${error.message} (noticed at ${isoSecond(epochSeconds(since))}). ${error.why ?? ''} Until it has one, ${waits}; everything else goes on.${remedy}`,
    });
  }
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

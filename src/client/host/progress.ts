import type { TopicPartitionOffset } from '../../kafka/port.ts';
import { type Positions, listPositions, nextOffset, samePositions, withPosition } from '../../state/index.ts';
import { type HasInputs, committable } from './positions.ts';

/**
 * How far the owner has come in each input partition. Three positions follow each other: what has been taken in by the
 * machine, what of that is written in the state topic, and what of that the consumer group has committed. Besides them:
 * the partitions' ends as last seen, and the goals that `--once` reads up to.
 */
export class InputProgress {
  #taken: Positions = new Map();
  #written: Positions = new Map();
  #committed: Positions = new Map();
  #ends: Positions = new Map();
  #goals: Positions = new Map();

  /** topic → partition → the next message to be taken in. */
  get taken(): Positions {
    return this.#taken;
  }

  /** topic → partition → the end as last seen. */
  get ends(): Positions {
    return this.#ends;
  }

  /** The state has been read: these positions belong to it. */
  restore(positions: Positions): void {
    this.#taken = this.#written = positions;
  }

  /** A partition's end, as reading starts: `--once` reads up to it. */
  setStartingEnd(end: TopicPartitionOffset): void {
    this.#ends = withPosition(this.#ends, end);
    this.#goals = withPosition(this.#goals, end);
  }

  /** A partition's end, as a batch of it says. */
  setEnd(end: TopicPartitionOffset): void {
    this.#ends = withPosition(this.#ends, end);
  }

  /** Lets `--once` read up to a message that the client has published itself: another of its jobs may need it. */
  addGoal(goal: TopicPartitionOffset): void {
    this.#goals = withPosition(this.#goals, goal);
  }

  setTaken(positions: Positions): void {
    this.#taken = positions;
  }

  /** A transaction holds these positions, so they are taken in, too. */
  setWritten(positions: Positions): void {
    this.#taken = this.#written = positions;
  }

  setCommitted(positions: Positions): void {
    this.#committed = positions;
  }

  /** Whether these positions are not what the state topic has. */
  differsFromWritten(positions: Positions): boolean {
    return positions !== this.#written && !samePositions(positions, this.#written);
  }

  /**
   * Whether all messages up to the goals have been taken in.
   *
   * @param isAside partitions that cannot be read, whose goals do not count
   */
  hasReachedGoals(isAside: (topic: string, partition: number) => boolean = () => false): boolean {
    return listPositions(this.#goals).every(
      (goal) => (nextOffset(this.#taken, goal) ?? 0n) >= goal.offset || isAside(goal.topic, goal.partition),
    );
  }

  /** Whether the partition is being read. */
  knows(topic: string, partition: number): boolean {
    return this.#taken.get(topic)?.has(partition) === true;
  }

  /**
   * What the consumer group is to commit next; null where it has committed that.
   *
   * @param unfinished runs whose inputs the committed offsets must not pass
   */
  nextCommit(unfinished: Iterable<HasInputs>): Positions | null {
    const next = committable(this.#written, unfinished, this.#committed);
    return samePositions(next, this.#committed) ? null : next;
  }
}

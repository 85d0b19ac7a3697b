/** Where reading begins, and what the group's committed offsets may say. Pure. */
import { isSameTopic, offsetOf } from '../../core/record-ref.ts';
import type { Jump, OffsetRange, TopicPartition, TopicPartitionOffset } from '../../kafka/port.ts';
import type { MessageRef } from '../../messages/types.ts';
import { type Positions, listPositions, nextOffset, withPosition } from '../../state/index.ts';

/** A topic that is read. */
export interface InputTopic {
  topic: string;
  topicId?: string | undefined;
  startsAtEnd?: boolean;
  /**
   * Partition → the first offset written since the hippo began to read the topic, where it has begun and could not read some
   * partitions then; a partition that is left out cannot be read for now.
   */
  written?: ReadonlyMap<number, bigint> | undefined;
}

export interface Start {
  from: TopicPartitionOffset[];
  /** Where the known position is not in the log. */
  jumps: (TopicPartition & Jump)[];
  /** The hippo begins to read the topic now, at its end. */
  beginsAtEnd: boolean;
}

/**
 * Where reading begins: at the known positions. A hippo that knows none starts for the first time, and `startFrom` decides. A
 * partition without a position among others that have one was added since: it is read from its beginning, otherwise the
 * events that are in it already would never be read. A partition that could not be read when the hippo began to read its topic at
 * the end is read from what was written since. Positions of a topic that was deleted say nothing of the one that
 * has its name now,
 * which is read from its beginning; so is a log that does not have the known position.
 *
 * @param topicId the id that the topic has now; left out: it is not known
 * @param startsAtEnd no position in the topic means that what is in it does not count: it is read for message needs alone, and
 *   what was asked for before there was such a need must not start runs now
 */
export function startPositions(
  { topic, topicId, startsAtEnd, written }: InputTopic,
  ranges: readonly OffsetRange[],
  known: Positions,
  startFrom: 'beginning' | 'end',
): Start {
  const isNew = !known.has(topic);
  const beginsAtEnd = (startsAtEnd === true && isNew) || (known.size === 0 && startFrom === 'end');
  const start: Start = { from: [], jumps: [], beginsAtEnd };
  for (const { partition, low, high } of ranges) {
    const former = known.get(topic)?.get(partition);
    const wanted = nextOffset(known, { topic, topicId, partition });
    const first = beginsAtEnd ? high : written === undefined ? low : written.get(partition);
    const got = wanted === undefined ? first : wanted < low || wanted > high ? low : wanted;
    if (got === undefined) continue;
    start.from.push({ topic, topicId, partition, offset: got });
    if (former !== undefined && wanted === undefined && former !== got) {
      start.jumps.push({ topic, partition, from: former, to: got, cause: 'made-again' });
    }
    if (wanted !== undefined && got !== wanted) {
      start.jumps.push({
        topic,
        partition,
        from: wanted,
        to: got,
        cause: wanted < low ? 'removed' : 'shorter',
      });
    }
  }
  return start;
}

/** A run, as far as its inputs. */
export interface HasInputs {
  inputs: { values(): Iterable<MessageRef> };
}

/**
 * What the group commits, which lag tools and `trigger --wait` read: a partition's committed offset does not pass an
 * input whose run has not finished, and does not go back. The state's own positions, by which a new owner starts, are
 * ahead of it: the runs that they produced are recorded with them.
 */
export function committable(
  positions: Positions,
  unfinished: Iterable<HasInputs>,
  committed: Positions,
): Positions {
  const held = new Map([...positions].map(([topic, partitions]) => [topic, new Map(partitions)]));
  for (const run of unfinished) {
    for (const { topic, topicId, partition, offset } of run.inputs.values()) {
      const partitions = isSameTopic(positions.get(topic)?.topicId, topicId) ? held.get(topic) : undefined;
      const next = partitions?.get(partition);
      if (next !== undefined && offsetOf({ offset }) < next) partitions?.set(partition, offsetOf({ offset }));
    }
  }
  let next: Positions = new Map();
  for (const position of listPositions(positions)) {
    const least = held.get(position.topic)?.get(position.partition) ?? position.offset;
    const before = nextOffset(committed, position);
    const offset = before !== undefined && before > least ? before : least;
    next = withPosition(next, { ...position, offset });
  }
  return next;
}

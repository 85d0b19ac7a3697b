/** Where reading begins, and what the group's committed offsets may say. Pure. */
import { offsetOf } from '../../core/record-ref.ts';
import type { Jump, OffsetRange, TopicPartition, TopicPartitionOffset } from '../../kafka/port.ts';
import type { Positions, RunState } from '../../state/index.ts';

export interface Start {
  from: TopicPartitionOffset[];
  /** Where the known position is not in the log. */
  jumps: (TopicPartition & Jump)[];
}

/**
 * Where reading begins: at the known positions. A hippo that knows none starts for the first time, and `startFrom` decides. A
 * partition without a position among others that have one was added since: it is read from its beginning, or the events that
 * are in it already would never be read. A position outside of the log (trimmed by retention, or the topic was made anew)
 * begins with what is there.
 */
export function startPositions(
  topic: string,
  ranges: readonly OffsetRange[],
  known: Positions,
  startFrom: 'beginning' | 'end',
): Start {
  const first = known.size === 0 ? startFrom : 'beginning';
  const start: Start = { from: [], jumps: [] };
  for (const { partition, low, high } of ranges) {
    const wanted = known.get(topic)?.get(partition);
    const got =
      wanted === undefined
        ? first === 'beginning'
          ? low
          : high
        : wanted < low || wanted > high
          ? low
          : wanted;
    start.from.push({ topic, partition, offset: got });
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

/**
 * What the group commits, which lag tools and `trigger --wait` read: a partition's committed offset does not pass an
 * input whose run has not finished, and does not go back. The state's own positions, by which a new owner starts, are
 * ahead of it: the runs that they produced are recorded with them.
 */
export function committable(
  positions: Positions,
  unfinished: Iterable<RunState>,
  committed: Positions,
): Positions {
  const held = new Map([...positions].map(([topic, partitions]) => [topic, new Map(partitions)]));
  for (const run of unfinished) {
    for (const { topic, partition, offset } of Object.values(run.inputs)) {
      const partitions = held.get(topic);
      const next = partitions?.get(partition);
      if (next !== undefined && offsetOf({ offset }) < next) partitions?.set(partition, offsetOf({ offset }));
    }
  }
  return new Map(
    [...held].map(([topic, partitions]) => [
      topic,
      new Map(
        [...partitions].map(([partition, next]) => {
          const before = committed.get(topic)?.get(partition);
          return [partition, before !== undefined && before > next ? before : next];
        }),
      ),
    ]),
  );
}

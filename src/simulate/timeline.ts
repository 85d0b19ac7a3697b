import { type Millis, isoTime } from '../core/clock.ts';
import type { KafkaRecord } from '../kafka/port.ts';

/** A record and the time at which the client would have seen it. */
export interface Timed<Item> {
  at: Millis;
  item: Item;
}

type TimedRef = Pick<KafkaRecord, 'topic' | 'partition' | 'offset' | 'timestamp'>;

/**
 * Orders records of several partitions as a client would have read them: within a partition by offset, regardless of
 * timestamps; between partitions by time, then topic and partition. A record without a time, or with an earlier time than
 * its predecessor's, follows directly after its predecessor.
 */
export function timeline<Item extends { record: TimedRef }>(items: readonly Item[]): Timed<Item>[] {
  const partitions = Map.groupBy(items, ({ record }) => `${record.topic}/${record.partition}`);
  const timed = [...partitions.values()].flatMap((ofOne) => {
    let at = 0;
    return ofOne
      .toSorted((a, b) => Number(a.record.offset - b.record.offset))
      .map((item) => ({ at: (at = Math.max(at, timeOf(item.record))), item }));
  });
  return timed.sort((a, b) => a.at - b.at || compare(a.item.record, b.item.record));
}

/** A timestamp that no date has, such as one in nanoseconds, is no time. */
function timeOf({ timestamp }: TimedRef): Millis {
  return isoTime(timestamp) === null ? 0 : timestamp;
}

function compare(a: TimedRef, b: TimedRef): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition || Number(a.offset - b.offset);
}

import { RecordSet } from '../core/record-ref.ts';
import type { Kafka, TopicPartitionOffset } from '../kafka/port.ts';
import { replayedLetter } from './letter.ts';

/** The earlier replays into a topic, as far as it retains them. */
export interface History {
  /** The dead letters that were sent back. */
  sent: RecordSet;
  /** For each partition, the time since which no record has been removed, epoch ms. */
  reachesBackTo: Map<number, number>;
  /** The positions up to which this was read. */
  ends: TopicPartitionOffset[];
}

/**
 * Reads what replays have written to a topic since a time, or since an earlier call.
 *
 * @param since epoch ms, or the ends of the earlier call
 */
export async function readHistory(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  since: number | readonly TopicPartitionOffset[],
  signal: AbortSignal,
): Promise<History> {
  const [ranges, starts] = await Promise.all([
    kafka.offsets(topic),
    typeof since === 'number' ? kafka.offsetsAt(topic, Math.max(0, since)) : since,
  ]);
  const spans = ranges.map(({ partition, low, stable }) => {
    const start = starts.find((position) => position.partition === partition)?.offset ?? low;
    return { topic, partition, offset: start > low ? start : low, low, stable };
  });
  const history: History = {
    sent: new RecordSet(),
    // A log that starts with its first record has lost none; a log that is read from a later offset reaches back far enough.
    reachesBackTo: new Map(
      spans.map(({ partition, offset, low }) => [
        partition,
        low === 0n || offset > low ? -Infinity : Infinity,
      ]),
    ),
    ends: spans.map(({ partition, stable }) => ({ topic, partition, offset: stable })),
  };
  const open = spans.filter(({ offset, stable }) => offset < stable);
  if (open.length === 0) return history;
  const reader = await kafka.reader({
    from: open,
    until: open.map(({ partition, stable }) => ({ topic, partition, offset: stable })),
  });
  const close = (): void => void reader.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    for await (const { partition, records } of reader) {
      for (const record of records) {
        const letter = replayedLetter(record);
        if (letter !== undefined) history.sent.add(letter);
        if (history.reachesBackTo.get(partition) === Infinity) {
          history.reachesBackTo.set(partition, record.timestamp);
        }
      }
    }
  } finally {
    signal.removeEventListener('abort', close);
    await reader.close();
  }
  signal.throwIfAborted();
  return history;
}

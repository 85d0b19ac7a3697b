import { type RecordRef, RecordSet, offsetOf } from '../core/record-ref.ts';
import type { Kafka, TopicPartitionOffset } from '../kafka/port.ts';
import { type SentBefore, replayedFrom } from './letter.ts';

/** The earlier replays into a topic, as far as it retains them. */
export interface History {
  /** What was sent back. */
  sent: SentBefore;
  /** For each partition, the time since which no record has been removed, epoch ms. */
  reachesBackTo: Map<number, number>;
  /** The positions up to which this was read. */
  ends: TopicPartitionOffset[];
}

/** From where replays are of interest: the time of the first rejection, epoch ms, and the records that were rejected. */
export interface FirstRejection {
  at: number;
  /** Another hippo may have rejected a record earlier; a message that was sent back always follows the record itself. */
  records: readonly RecordRef[];
}

/**
 * Reads what replays have written to a topic since rejections, or since an earlier call.
 *
 * @param since or the ends of the earlier call
 */
export async function readHistory(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  since: FirstRejection | readonly TopicPartitionOffset[],
  signal: AbortSignal,
): Promise<History> {
  const [ranges, starts] = await Promise.all([
    kafka.offsets(topic),
    'records' in since ? startsOf(kafka, topic, since) : since,
  ]);
  const spans = ranges.map(({ partition, low, stable }) => {
    const start = starts.find((position) => position.partition === partition)?.offset ?? low;
    return { topic, partition, offset: start > low ? start : low, low, stable };
  });
  const history: History = {
    sent: { letters: new RecordSet(), origins: new RecordSet() },
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
        const { letter, origin } = replayedFrom(record);
        if (letter !== undefined) history.sent.letters.add(letter);
        if (origin !== undefined) history.sent.origins.add(origin);
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

/** Of each partition the earlier one of two offsets: the first one after that time, and that of the first record. */
async function startsOf(
  kafka: Pick<Kafka, 'offsetsAt'>,
  topic: string,
  { at, records }: FirstRejection,
): Promise<{ partition: number; offset: bigint }[]> {
  const starts = await kafka.offsetsAt(topic, Math.max(0, at));
  return starts.map(({ partition, offset }) => ({
    partition,
    offset: records
      .filter((record) => record.partition === partition)
      .map(offsetOf)
      .reduce((first, each) => (each < first ? each : first), offset),
  }));
}

import type { Kafka, ReadPosition } from '../kafka/port.ts';
import { replayedLetter } from './letter.ts';

/** What a topic remembers of replays into it. */
export interface History {
  /** The dead letters that were sent back, by their coordinates. */
  sent: Set<string>;
  /** Of each partition the time since when nothing of it has been removed, epoch ms. */
  reachesBackTo: Map<number, number>;
  /** Up to where this was read. */
  ends: ReadPosition[];
}

/**
 * Reads what replays have written into a topic since a time, or since an earlier look.
 *
 * @param since epoch ms, or the ends of the look before
 */
export async function readHistory(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  since: number | readonly ReadPosition[],
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
    sent: new Set(),
    // A log that begins with its first record has lost none; one that is read from later on reaches back far enough.
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

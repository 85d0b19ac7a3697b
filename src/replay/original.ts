import { lastHeader } from '../core/headers.ts';
import { isSameTopic, parseOffset } from '../core/record-ref.ts';
import type { Kafka, KafkaRecord } from '../kafka/port.ts';
import type { DeadLetter } from './letter.ts';

/**
 * Restores a dead letter that was cut when it was rejected (the record was too large to be written with more headers) from
 * its original record. If that record is gone, by retention or because the topic was created again, the letter says so.
 */
export async function madeWhole(
  kafka: Pick<Kafka, 'offsets' | 'reader'>,
  found: DeadLetter,
  signal: AbortSignal,
): Promise<DeadLetter> {
  const { letter, record } = found;
  const cutFrom = Number(lastHeader(record.headers, 'dlq.truncated')?.toString('latin1'));
  if (letter.status !== 'ready' || Number.isNaN(cutFrom)) return found;
  const offset = parseOffset(lastHeader(record.headers, 'dlq.offset')?.toString('latin1')) ?? -1n;
  const original = await recordAt(kafka, letter.to, offset, signal);
  const topicId = lastHeader(record.headers, 'dlq.topic_id')?.toString('latin1');
  // If the topic was created again, another record may have that offset.
  if (
    original === null ||
    !isSameTopic(original.topicId, topicId) ||
    !startsWith(original.value, record.value) ||
    !startsWith(original.key, record.key)
  ) {
    return { ...found, letter: { ...letter, status: 'gone' } };
  }
  const { key, value, headers } = original;
  return { ...found, record: { ...record, key, value, headers } };
}

async function recordAt(
  kafka: Pick<Kafka, 'offsets' | 'reader'>,
  { topic, partition }: { topic: string; partition: number },
  offset: bigint,
  signal: AbortSignal,
): Promise<KafkaRecord | null> {
  const range = (await kafka.offsets(topic)).find((each) => each.partition === partition);
  if (range === undefined || offset < range.low || offset >= range.stable) return null;
  const reader = await kafka.reader({
    from: [{ topic, partition, offset }],
    until: [{ topic, partition, offset: offset + 1n }],
  });
  const close = (): void => void reader.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    for await (const { records } of reader) {
      const record = records.find((each) => each.offset === offset);
      if (record !== undefined) return record;
    }
  } finally {
    signal.removeEventListener('abort', close);
    await reader.close();
  }
  signal.throwIfAborted();
  return null;
}

function startsWith(whole: Buffer | null, part: Buffer | null): boolean {
  if (whole === null || part === null) return whole === part;
  return whole.subarray(0, part.length).equals(part);
}

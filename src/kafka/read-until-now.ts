import type { Kafka, KafkaRecord, TopicPartitionOffset } from './port.ts';

/** Reads a topic from a time (epoch milliseconds; null: its beginning) to its present end. */
export async function readUntilNow(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  since: number | null,
  onRecord: (record: KafkaRecord) => void,
): Promise<void> {
  const ranges = await kafka.offsets(topic);
  const starts = new Map(
    since === null
      ? ranges.map(({ partition, low }) => [partition, low])
      : (await kafka.offsetsAt(topic, since)).map(({ partition, offset }) => [partition, offset]),
  );
  const from: TopicPartitionOffset[] = [];
  const until: TopicPartitionOffset[] = [];
  for (const { partition, low, stable } of ranges) {
    const offset = starts.get(partition) ?? low;
    if (offset >= stable) continue;
    from.push({ topic, partition, offset });
    until.push({ topic, partition, offset: stable });
  }
  if (from.length === 0) return;
  const reader = await kafka.reader({ from, until });
  try {
    for await (const batch of reader) for (const record of batch.records) onRecord(record);
  } finally {
    await reader.close();
  }
}

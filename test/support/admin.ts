/** What an operator does to topics with tools that are not ours. `brokers` are `host:port` each. */
import { type Admin, Kafka as KafkaJs, logLevel } from 'kafkajs';
import { execa } from '../../src/core/exec.ts';

async function withAdmin(
  brokers: readonly string[],
  work: (admin: Admin) => Promise<unknown>,
): Promise<void> {
  const kafkajs = new KafkaJs({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
  const admin = kafkajs.admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** @param count how many partitions the topic has then */
export function addPartitions(brokers: readonly string[], topic: string, count: number): Promise<void> {
  return withAdmin(brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
}

/** Removes the records before an offset. */
export function removeBefore(
  brokers: readonly string[],
  { topic, partition }: { topic: string; partition: number },
  offset: number,
): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    // It knows only the leaders of topics that it has asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  });
}

/** Writes a record for each value, to one partition. */
export async function produce(
  brokers: readonly string[],
  { topic, partition }: { topic: string; partition: number },
  values: readonly string[],
): Promise<void> {
  const args = ['-P', '-b', brokers.join(','), '-t', topic, '-p', String(partition)];
  await execa('kcat', args, { input: values.map((value) => `${value}\n`).join('') });
}

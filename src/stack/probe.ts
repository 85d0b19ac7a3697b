import { within } from '../core/deadline.ts';
import { TimeoutError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Kafka, Reader, TopicPartitionOffset } from '../kafka/port.ts';

const PATIENCE = 60_000;

/**
 * Checks that Kafka works: creates a topic, writes an event to it, reads it back, and removes the topic.
 *
 * @param prefix put before the topic's name
 * @throws TimeoutError if the event cannot be read within a minute
 */
export async function proveRoundTrip(kafka: Kafka, prefix: string): Promise<void> {
  const id = newId();
  const topic = `${prefix}hippo-up-${id}`;
  await kafka.createTopics([{ topic, partitions: 1, replicationFactor: 1, config: {} }]);
  try {
    const written = await produce(kafka, topic, id);
    const reader = await kafka.reader({ from: [written] });
    try {
      const came = await within(comesBack(reader, id), { millis: PATIENCE, late: () => false });
      if (!came)
        throw new TimeoutError(
          `an event that was written to Kafka could not be read back within ${PATIENCE / 1000} s`,
        );
    } finally {
      await reader.close();
    }
  } finally {
    await kafka.deleteTopics([topic]);
  }
}

async function produce(kafka: Kafka, topic: string, value: string): Promise<TopicPartitionOffset> {
  const producer = await kafka.producer();
  try {
    const [written] = await producer.send([{ topic, partition: 0, value }]);
    return written ?? { topic, partition: 0, offset: 0n };
  } finally {
    await producer.close();
  }
}

async function comesBack(reader: Reader, value: string): Promise<boolean> {
  for await (const { records } of reader) {
    if (records.some((record) => record.value?.toString() === value)) return true;
  }
  return false;
}

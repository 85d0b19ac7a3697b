import { parseConfig } from '../src/config/schema.ts';
import { connectKafka } from '../src/kafka/connect.ts';
import type { Kafka } from '../src/kafka/port.ts';

/** Connects to the benchmark's own Kafka. */
export function kafkaAt(brokers: string): Promise<Kafka> {
  return connectKafka({ brokers: [brokers], settings: parseConfig({}).kafka });
}

/** Makes a topic on the benchmark's own Kafka. */
export async function makeTopic(brokers: string, topic: string, partitions: number): Promise<void> {
  const kafka = await kafkaAt(brokers);
  try {
    await kafka.createTopics([{ topic, partitions, replicationFactor: 1, config: {} }]);
  } finally {
    await kafka.close();
  }
}

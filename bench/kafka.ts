import { parseConfig } from '../src/config/schema.ts';
import { connectKafka } from '../src/kafka/connect.ts';

/** Makes a topic on the benchmark's own Kafka. */
export async function makeTopic(brokers: string, topic: string, partitions: number): Promise<void> {
  const kafka = await connectKafka({ brokers: [brokers], settings: parseConfig({}).kafka });
  try {
    await kafka.createTopics([{ topic, partitions, replicationFactor: 1, config: {} }]);
  } finally {
    await kafka.close();
  }
}

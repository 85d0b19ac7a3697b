import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { newId } from '../../src/core/ids.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { Kafka, KafkaRecord } from '../../src/kafka/port.ts';
import { alterTopics } from './admin.ts';
import { testBrokers } from './brokers.ts';

/** The section `kafka` of a hippo.yaml, as loaded. */
export function kafkaSettings(section: object = {}) {
  return parseConfig({ kafka: section }).kafka;
}

/** A connection to the tests' broker; closed when the test is over. */
export async function testKafka(section: object = {}): Promise<Kafka> {
  const kafka = await connectKafka({ brokers: await testBrokers(), settings: kafkaSettings(section) });
  onTestFinished(() => kafka.close());
  return kafka;
}

/** A topic of the test's own. */
export async function testTopic(
  kafka: Kafka,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<string> {
  const topic = `t-${newId()}`;
  await kafka.createTopics([{ topic, partitions, replicationFactor: 1, config }]);
  return topic;
}

/** Changes settings of a topic while it is in use. Those that are not named go back to the broker's defaults. */
export async function setTopicConfig(
  kafka: Kafka,
  topic: string,
  config: Record<string, string>,
): Promise<void> {
  await alterTopics(kafka.brokers, [{ topic, config }]);
  // The broker answers before it has applied them.
  const isSet = (now: Record<string, string>): boolean =>
    Object.entries(config).every(([name, value]) => now[name] === value);
  while (!isSet(await kafka.topicConfig(topic))) await sleep(20);
}

/** Everything that is in a topic now, as a reader of committed records gets it; by partition, then offset. */
export async function readAll(kafka: Kafka, topic: string): Promise<KafkaRecord[]> {
  const ranges = await kafka.offsets(topic);
  const reader = await kafka.reader({
    from: ranges.map(({ partition, low }) => ({ topic, partition, offset: low })),
    until: ranges.map(({ partition, high }) => ({ topic, partition, offset: high })),
    maxWait: 50,
  });
  const records: KafkaRecord[] = [];
  for await (const batch of reader) records.push(...batch.records);
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** Deletes a topic and makes it again under its name: another topic, as its id says. */
export async function remakeTopic(kafka: Kafka, topic: string, partitions = 1): Promise<void> {
  const idNow = async (): Promise<string | undefined> =>
    (await kafka.topics()).find((each) => each.topic === topic)?.topicId;
  const former = await idNow();
  await kafka.deleteTopics([topic]);
  const spec = { topic, partitions, replicationFactor: 1, config: {} };
  // A broker may still know the former topic, and tell its id to who asks.
  while ((await kafka.createTopics([spec])).length === 0) await sleep(20);
  for (let id = await idNow(); id === undefined || id === former; id = await idNow()) await sleep(20);
}

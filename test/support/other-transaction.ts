/** The open transaction of another program on a topic of a project. */
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { testKafka } from './kafka.ts';
import type { TestProject } from './project.ts';

export interface OtherTransaction {
  topic: string;
  /** How many partitions the topic has: each has a record of it. */
  partitions: number;
  transactionalId: string;
  /** Epoch milliseconds. */
  begun: number;
  commit(): Promise<void>;
  /** Safe to call after {@link commit}. */
  close(): Promise<void>;
}

/** Begins a transaction of five minutes that hides all events of the project from readers of committed records. */
export async function openOtherTransaction(project: TestProject): Promise<OtherTransaction> {
  const topic = `${project.prefix}frontier-adw`;
  const transactionalId = `stranger-${project.name}`;
  const kafka = await testKafka();
  const partitions = (await kafka.topics([topic]))[0]?.partitions ?? [];
  const producer = new KafkaJs({ brokers: project.brokers.split(','), logLevel: logLevel.NOTHING }).producer({
    transactionalId,
    transactionTimeout: 300_000,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  const open = await producer.transaction();
  const begun = Date.now();
  await open.send({ topic, messages: partitions.map(({ partition }) => ({ partition, value: 'x' })) });
  return {
    topic,
    partitions: partitions.length,
    transactionalId,
    begun,
    commit: () => open.commit(),
    close: () => producer.disconnect(),
  };
}

/** The sentences about open transactions in what a command prints, each with its parts. */
export function holdUpsIn(text: string): RegExpMatchArray[] {
  return [
    ...flat(text).matchAll(
      /(\S+)\[(\d)\]: the transaction of transactional id (\S+) has been open since (\S+); it hides all records from offset (\d+) on/g,
    ),
  ];
}

/** Wrapped lines as one. */
export function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

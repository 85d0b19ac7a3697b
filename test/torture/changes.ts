/** What operators do to topics, and to a machine's clock, while a hippo runs or between two of its clients. */
import { setTimeout as sleep } from 'node:timers/promises';
import { topicName } from '../../src/config/topics.ts';
import type { Config, TopicRole } from '../../src/config/schema.ts';
import type { Kafka } from '../../src/kafka/port.ts';
import { topicSpecs } from '../../src/kafka/topics.ts';
import { addPartitions, alterTopics, removeAll } from '../support/admin.ts';

export type Change =
  | { kind: 'partitions added'; role: 'frontier' | 'finish' | 'state' }
  /** The frontier topic is deleted and made again; it is then so long, compared with what it was. */
  | { kind: 'topic made again'; length: 'shorter' | 'equal' | 'longer' }
  /** The state topic is deleted and made again, while a client that has the state in memory runs. */
  | { kind: 'state made again' }
  /** All records that the frontier topic has. Where they were not read, a notice says so. */
  | { kind: 'records removed'; were: 'read' | 'unread' }
  | { kind: 'limits lowered' }
  | { kind: 'clock moved'; by: string };

/** Smaller than what one transaction of the workload can write, larger than each of its records. */
const LOW_LIMIT = 6_000;

/** Carries out changes of topics, as Kafka's own tools do. */
export class Operator {
  readonly #kafka: Kafka;
  readonly #config: Config;

  constructor(kafka: Kafka, config: Config) {
    this.#kafka = kafka;
    this.#config = config;
  }

  /** How many records each partition of the frontier topic has ever had. */
  async lengths(): Promise<number[]> {
    const ranges = await this.#kafka.offsets(this.#topic('frontier'));
    return ranges.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  }

  async addPartitions(role: TopicRole): Promise<void> {
    const topic = this.#topic(role);
    await addPartitions(this.#kafka.brokers, topic, (await this.#kafka.offsets(topic)).length + 2);
  }

  /** Deletes a topic, and makes it with as many partitions. */
  async makeAgain(role: TopicRole): Promise<void> {
    const topic = this.#topic(role);
    const partitions = (await this.#kafka.offsets(topic)).length;
    const [spec] = topicSpecs(this.#config).filter((each) => each.topic === topic);
    if (spec === undefined) throw new Error(`no ${role} topic`);
    await this.#kafka.deleteTopics([topic]);
    // A deleted topic's name is free when all brokers know of it.
    while ((await this.#kafka.createTopics([{ ...spec, partitions }])).length === 0) await sleep(50);
  }

  removeRecords(): Promise<void> {
    return removeAll(this.#kafka.brokers, this.#topic('frontier'));
  }

  lowerLimits(): Promise<void> {
    const limits = { 'max.message.bytes': String(LOW_LIMIT) };
    const topics = topicSpecs(this.#config).map(({ topic, config }) => ({
      topic,
      config: { ...config, ...limits },
    }));
    return alterTopics(this.#kafka.brokers, topics);
  }

  #topic(role: TopicRole): string {
    return topicName(this.#config, role);
  }
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Json, isJsonObject } from '../../core/json.ts';
import { ServiceError } from '../../core/errors.ts';
import type { Kafka, OutgoingRecord, TransactionalProducer } from '../../kafka/port.ts';
import { partitionForKey } from '../../kafka/partitioner.ts';
import { type Positions, positionsFromJson, positionsToJson } from './positions.ts';

/** All that a hippo remembers, as of one consistent point. */
export interface Snapshot {
  /** Of the machine: without the hippo's offsets and owner. */
  records: Map<string, Json>;
  /** The input positions that the records reflect. */
  positions: Positions;
  /** The client that owned before this takeover; null on the first start. */
  previous: string | null;
}

/** The hippo's part of the compacted state topic: one partition, so that its order is total. */
export class StateTopic {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #hippo: string;
  readonly #partition: number;

  private constructor(kafka: Kafka, topic: string, hippo: string, partition: number) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#hippo = hippo;
    this.#partition = partition;
  }

  /** @param partitions how many the topic has */
  static of(kafka: Kafka, topic: string, hippo: string, partitions: number): StateTopic {
    return new StateTopic(kafka, topic, hippo, partitionForKey(hippo, partitions));
  }

  record(key: string, value: Json | null): OutgoingRecord {
    return {
      topic: this.#topic,
      partition: this.#partition,
      key,
      value: value === null ? null : JSON.stringify(value),
    };
  }

  offsets(positions: Positions): OutgoingRecord {
    return this.record(`${this.#hippo}/offsets`, positionsToJson(positions));
  }

  /**
   * Takes the state over: writes who owns it from now on, and reads up to that record. What any earlier owner committed
   * stands before it, whatever the broker says about ends while other hippos' transactions are open; what an earlier
   * owner had begun and not committed was ended when its transactional id was taken.
   *
   * @param producer the hippo's own, just made: it fences the owner before
   * @param client names this process for as long as it lives
   * @throws ServiceError when Kafka is not there; aborted when `signal` is
   */
  async takeOver(producer: TransactionalProducer, client: string, signal: AbortSignal): Promise<Snapshot> {
    const key = `${this.#hippo}/owner`;
    const token = randomUUID();
    const since = new Date().toISOString();
    await producer.write([this.record(key, { client, token, host: hostname(), pid: process.pid, since })]);
    const range = (await this.#kafka.offsets(this.#topic)).find(
      ({ partition }) => partition === this.#partition,
    );
    const reader = await this.#kafka.reader({
      from: [{ topic: this.#topic, partition: this.#partition, offset: range?.low ?? 0n }],
      maxWait: 100,
      patience: 10_000,
    });
    const close = (): void => void reader.close();
    signal.addEventListener('abort', close);
    const records = new Map<string, Json>();
    let previous: string | null = null;
    try {
      for await (const batch of reader) {
        for (const record of batch.records) {
          const name = record.key?.toString() ?? '';
          if (!name.startsWith(`${this.#hippo}/`)) continue;
          const value = decode(record.value);
          if (name === key) {
            if (isJsonObject(value) && value['token'] === token) return this.#snapshot(records, previous);
            previous = isJsonObject(value) && typeof value['client'] === 'string' ? value['client'] : null;
          } else if (value === null) records.delete(name);
          else records.set(name, value);
        }
      }
    } finally {
      signal.removeEventListener('abort', close);
      await reader.close();
    }
    signal.throwIfAborted();
    throw new ServiceError(`the state topic ${this.#topic} ended before our own record in it`, {
      why: `partition ${this.#partition} was read from its beginning, and the record ${key} just written was not there`,
      next: ['hippo doctor'],
    });
  }

  #snapshot(records: Map<string, Json>, previous: string | null): Snapshot {
    const offsets = `${this.#hippo}/offsets`;
    const positions = positionsFromJson(records.get(offsets));
    records.delete(offsets);
    return { records, positions, previous };
  }
}

/** A record that is no JSON is not ours: as if it were not there. */
function decode(value: Buffer | null): Json {
  if (value === null) return null;
  try {
    return JSON.parse(value.toString()) as Json;
  } catch {
    return null;
  }
}

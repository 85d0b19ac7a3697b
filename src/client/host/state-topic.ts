import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Json } from '../../core/json.ts';
import { ServiceError } from '../../core/errors.ts';
import type { Kafka, KafkaRecord, OutgoingRecord, TransactionalProducer } from '../../kafka/port.ts';
import { partitionForKey } from '../../kafka/partitioner.ts';
import {
  type Owner,
  type Positions,
  decodeStateValue,
  formatStateKey,
  parseStateKey,
  parseStateRecord,
  positionsToJson,
} from '../../state/index.ts';

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
    return this.record(formatStateKey({ kind: 'offsets', hippo: this.#hippo }), positionsToJson(positions));
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
    const key = formatStateKey({ kind: 'owner', hippo: this.#hippo });
    const owner: Owner = {
      client,
      token: randomUUID(),
      host: hostname(),
      pid: process.pid,
      since: new Date().toISOString(),
    };
    await producer.write([this.record(key, { ...owner })]);
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
    const snapshot: Snapshot = { records: new Map(), positions: new Map(), previous: null };
    try {
      for await (const batch of reader) {
        for (const record of batch.records) {
          const before = this.#take(record, snapshot);
          if (before?.token === owner.token) return snapshot;
          if (before !== undefined) snapshot.previous = before?.client ?? null;
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

  /** @returns the client of an owner's record, null where it cannot be read; undefined for all other records */
  #take({ key: bytes, value: encoded }: KafkaRecord, snapshot: Snapshot): Owner | null | undefined {
    const text = bytes?.toString() ?? '';
    const key = parseStateKey(text);
    if (key?.hippo !== this.#hippo) return undefined;
    const value = decodeStateValue(encoded);
    if (key.kind === 'owner' || key.kind === 'offsets') {
      const record = parseStateRecord(key, value);
      if (key.kind === 'owner') return record?.kind === 'owner' ? record.owner : null;
      snapshot.positions = record?.kind === 'offsets' ? record.positions : new Map();
    } else if (value === null) {
      snapshot.records.delete(text);
    } else {
      snapshot.records.set(text, value);
    }
    return undefined;
  }
}

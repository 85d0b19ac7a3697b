import { ServiceError } from '../core/errors.ts';
import type { Cluster } from './cluster.ts';
import { Retry } from '../core/deadline.ts';
import { errorType, isConnectionError, unknownTopic } from './errors.ts';
import { failLacking, lacking } from './lacking.ts';
import { partitionForKey } from './partitioner.ts';
import type { OutgoingRecord, TopicPartition, TopicPartitionOffset, TransactionalProducer } from './port.ts';
import { IdempotentProducer, type ProducerIdentity, initProducer } from './producer.ts';
import { type Right, onTopic, onTransactionalId } from './rights.ts';
import {
  AddPartitionsToTxn,
  type Broker,
  EndTxn,
  type ErrorName,
  ProtocolError,
  errorOf,
} from './wire/index.ts';

/**
 * How long a transaction may stay open before the brokers abort it, milliseconds. Ours are a few requests long; one that was
 * left open by a process that died holds up readers of committed records for no longer than this.
 */
const TRANSACTION_TIMEOUT = 60_000;

/** How long brokers may take to learn of a topic that was just created, milliseconds. */
const UNKNOWN_TOPIC_MS = 5_000;

/**
 * A matter of milliseconds: the coordinator is still writing the markers of the transaction before; or it is fencing this
 * producer for a newer one, which Kafka 4.3 tells by an IllegalStateException in its log and UNKNOWN_SERVER_ERROR here.
 */
const BUSY = new Set<ErrorName | undefined>(['CONCURRENT_TRANSACTIONS', 'UNKNOWN_SERVER_ERROR']);

export async function openTransactionalProducer(
  cluster: Cluster,
  transactionalId: string,
): Promise<TransactionalProducer> {
  const identity = await initProducer(cluster, transactionalId, TRANSACTION_TIMEOUT);
  return new OneShotTransactions(cluster, transactionalId, identity);
}

/**
 * Writes lists of records, each in a transaction of its own. After a failed write it is unknown how far the write came, so
 * this producer must not be used again; a new one with the same id ends the open transaction.
 */
class OneShotTransactions implements TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #identity: ProducerIdentity & { transactionalId: string };
  readonly #producer: IdempotentProducer;
  #usable = true;

  constructor(cluster: Cluster, transactionalId: string, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#identity = { ...identity, transactionalId };
    this.#producer = new IdempotentProducer(cluster, identity);
  }

  get fencingToken(): string {
    // Epochs have 15 bits. When they are used up, or the id was forgotten, there is another producer id, which may be smaller.
    const { producerId, producerEpoch } = this.#identity;
    return String(producerId * 32_768n + BigInt(producerEpoch));
  }

  async write(records: readonly OutgoingRecord[]): Promise<TopicPartitionOffset[]> {
    if (records.length === 0) return [];
    if (!this.#usable) throw new ServiceError('an earlier transaction of this producer has failed');
    this.#usable = false;
    const placed = await Promise.all(records.map((record) => this.#place(record)));
    await this.#requireLeaders(placed);
    await this.#begin(placed);
    const written = await this.#producer.send(placed);
    await this.#commit();
    this.#usable = true;
    return written;
  }

  close(): Promise<void> {
    this.#usable = false;
    return this.#producer.close();
  }

  /** The coordinator wants to know the partitions beforehand. */
  async #place(record: OutgoingRecord): Promise<OutgoingRecord & { partition: number }> {
    if (record.partition !== undefined) return { ...record, partition: record.partition };
    const { topic, key } = record;
    const partitions = await this.#cluster.attempt({ topic }, () => this.#cluster.partitions(topic));
    return {
      ...record,
      partition: key === undefined || key === null ? 0 : partitionForKey(key, partitions.length),
    };
  }

  /**
   * A transaction, once begun, ends only when the coordinator has written a marker to each of its partitions, and until then the
   * transactional id can begin no other. So all of them must have leaders that can be reached before it begins.
   *
   * @throws LeaderlessError; no transaction is open then
   */
  async #requireLeaders(records: readonly (OutgoingRecord & { partition: number })[]): Promise<void> {
    const places = new Map(
      records.map(({ topic, partition }) => [`${topic}/${partition}`, { topic, partition }]),
    );
    await Promise.all([...places.values()].map((place) => this.#requireLeader(place)));
  }

  #requireLeader({ topic, partition }: TopicPartition): Promise<void> {
    const { transactionalId } = this.#identity;
    return this.#cluster.attempt({ transactionalId }, async () => {
      try {
        await this.#cluster.reach(await this.#cluster.leader(topic, partition));
      } catch (error) {
        this.#cluster.forgetLeaders([topic]);
        if (error instanceof ProtocolError && error.type === 'LEADER_NOT_AVAILABLE')
          throw error.at({ topic, partition });
        // All else is told by the requests that follow.
        if (isConnectionError(error)) throw error;
      }
    });
  }

  #begin(records: readonly (OutgoingRecord & { partition: number })[]): Promise<void> {
    const topics = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, members]) => ({
      topic,
      partitions: [...new Set(members.map(({ partition }) => partition))],
    }));
    const started = performance.now();
    return this.#ask(async (broker) => {
      const { errors } = await this.#cluster.send(broker, AddPartitionsToTxn, {
        ...this.#identity,
        topics,
      });
      const failed = errors.flatMap(({ topic, partitionErrors }) =>
        partitionErrors.flatMap(({ errorCode }) => {
          const error = errorOf(errorCode);
          if (error?.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
            this.#cluster.forgetLeaders([topic]);
            if (performance.now() - started > UNKNOWN_TOPIC_MS)
              throw unknownTopic(topic, this.#cluster.brokers, { cause: error });
          }
          return error === undefined ? [] : [lacking(error, onTopic('Write', topic), this.#right)];
        }),
      );
      // Where the broker refuses one partition it tries none of the others, and says so of each.
      const first = failed.find(({ type }) => type !== 'OPERATION_NOT_ATTEMPTED') ?? failed[0];
      if (first !== undefined) throw first;
    });
  }

  #commit(): Promise<void> {
    return this.#ask(async (broker) => {
      const { errorCode } = await this.#cluster.send(broker, EndTxn, {
        ...this.#identity,
        transactionResult: true,
      });
      failLacking(errorCode, this.#right);
    });
  }

  get #right(): Right {
    return onTransactionalId('Write', this.#identity.transactionalId);
  }

  /** Asks the transaction's coordinator, and again where it has moved or is still busy. */
  async #ask(request: (broker: Broker) => Promise<void>): Promise<void> {
    const { transactionalId } = this.#identity;
    await this.#cluster.attempt({ transactionalId }, async () => {
      const retry = new Retry({ first: 2, most: 50 });
      for (let tries = 0; ; tries += 1) {
        try {
          await this.#cluster.atCoordinator('transaction', transactionalId, request);
          return;
        } catch (error) {
          if (!BUSY.has(errorType(error)) || tries >= 100) throw error;
        }
        await retry.pause();
      }
    });
  }
}

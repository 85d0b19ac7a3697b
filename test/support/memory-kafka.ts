/** What the owner of a hippo asks of Kafka, in memory: it fails where and when a test says so. */
import { absentTopic, leaderless, unknownTopic } from '../../src/kafka/errors.ts';
import { FencedError, RecordTooLargeError } from '../../src/kafka/failures.ts';
import { partitionForKey } from '../../src/kafka/partitioner.ts';
import { sizeAbove } from '../../src/kafka/record-size.ts';
import type {
  Headers,
  Kafka,
  KafkaRecord,
  OutgoingRecord,
  Reader,
  ReaderOptions,
  RecordBatch,
  TopicInfo,
  TopicPartitionOffset,
  TransactionalProducer,
  Trouble,
} from '../../src/kafka/port.ts';

interface Topic {
  topicId: string;
  logs: KafkaRecord[][];
}

const BROKERS = ['127.0.0.1:9092'];

export type Asked = Pick<
  Kafka,
  | 'brokers'
  | 'topics'
  | 'offsets'
  | 'offsetsAt'
  | 'openTransactions'
  | 'committed'
  | 'lookUp'
  | 'topicLimit'
  | 'transactionalProducer'
  | 'reader'
>;

export class MemoryKafka implements Asked {
  readonly brokers = BROKERS;
  /** Called before a transaction is written; what it throws is thrown by the write. */
  beforeWrite: (records: readonly OutgoingRecord[]) => void = () => undefined;
  /** Called when a reader is asked for; what it throws is thrown there. */
  beforeReading: () => void = () => undefined;
  /** Called before topics are described. */
  beforeTopics: () => Promise<void> | void = () => undefined;
  /** Records that readers do not see. */
  hides: (record: KafkaRecord) => boolean = () => false;
  /** `<topic>/<partition>`: nothing can be written there. */
  readonly leaderless = new Set<string>();
  /** `<topic>/<partition>`: where it ends cannot be asked. */
  readonly unreadable = new Set<string>();
  /** What topics take: bytes of max.message.bytes. */
  readonly limits = new Map<string, number>();
  /** Whether it may be asked for {@link limits}. */
  tellsLimits = true;
  /** What the group has committed. */
  commits: TopicPartitionOffset[] = [];
  readonly #topics = new Map<string, Topic>();
  readonly #readers = new Set<MemoryReader>();
  #made = 0;
  #epoch = 0;

  create(name: string, partitions = 1): void {
    const logs = Array.from({ length: partitions }, (): KafkaRecord[] => []);
    this.#topics.set(name, { topicId: `id-${(this.#made += 1)}`, logs });
    this.wake();
  }

  delete(name: string): void {
    this.#topics.delete(name);
    this.wake();
  }

  #partitionOf({ topic, key = null, partition }: OutgoingRecord): number {
    return partition ?? (key === null ? 0 : partitionForKey(key, this.topic(topic).logs.length));
  }

  #requireLeader(record: OutgoingRecord): void {
    const [{ topic }, partition] = [record, this.#partitionOf(record)];
    if (this.leaderless.has(`${topic}/${partition}`)) throw leaderless(topic, [partition], BROKERS);
  }

  produce(record: OutgoingRecord): TopicPartitionOffset {
    const { topic, key = null, value, headers = {}, timestamp = 0 } = record;
    const { topicId, logs } = this.topic(topic);
    const partition = this.#partitionOf(record);
    const log = logs[partition];
    if (log === undefined) throw gone(`${topic}[${partition}]`);
    const offset = BigInt(log.length);
    log.push({
      topic,
      topicId,
      partition,
      offset,
      timestamp,
      key: bytes(key),
      value: bytes(value),
      headers: headers as Headers,
    });
    this.wake();
    return { topic, topicId, partition, offset };
  }

  /** The records of a topic, partition by partition. */
  records(topic: string): KafkaRecord[] {
    return this.topic(topic).logs.flat();
  }

  /** The values of the records that a compacted topic keeps, by key. */
  compacted(topic: string): Map<string, string> {
    const kept = new Map<string, string>();
    for (const { key, value } of this.records(topic)) {
      if (value === null) kept.delete(String(key));
      else kept.set(String(key), value.toString());
    }
    return kept;
  }

  topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw gone(name);
    return topic;
  }

  find(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  wake(): void {
    for (const reader of this.#readers) reader.wake();
  }

  async topics(names: readonly string[] = [...this.#topics.keys()]): Promise<TopicInfo[]> {
    await this.beforeTopics();
    return names.flatMap((topic) => {
      const found = this.#topics.get(topic);
      if (found === undefined) return [];
      const partitions = found.logs.map((_, partition) => ({
        partition,
        leader: this.leaderless.has(`${topic}/${partition}`) ? -1 : 1,
        replicas: [1],
        isr: [1],
      }));
      return [{ topic, topicId: found.topicId, partitions }];
    });
  }

  lookUp: Kafka['lookUp'] = async (names) => ({
    found: await this.topics(names),
    absent: names.filter((name) => !this.#topics.has(name)),
    hidden: [],
  });

  offsets: Kafka['offsets'] = (name, onTrouble) =>
    this.#ofReadable(name, onTrouble, ({ length }, partition) => {
      const end = BigInt(length);
      return { partition, low: 0n, high: end, stable: end };
    });

  offsetsAt: Kafka['offsetsAt'] = (name, at, onTrouble) =>
    this.#ofReadable(name, onTrouble, (log, partition) => {
      const first = log.findIndex(({ timestamp }) => timestamp >= at);
      return { partition, offset: BigInt(first < 0 ? log.length : first) };
    });

  #ofReadable<T>(
    topic: string,
    onTrouble: ((trouble: Trouble) => void) | undefined,
    ask: (log: readonly KafkaRecord[], partition: number) => T,
  ): Promise<T[]> {
    return new Promise((resolve) => {
      const logs = [...this.topic(topic).logs.entries()];
      const without = logs.flatMap(([partition]) =>
        this.unreadable.has(`${topic}/${partition}`) ? [partition] : [],
      );
      const error = leaderless(topic, without, BROKERS);
      if (without.length > 0 && onTrouble === undefined) throw error;
      if (without.length > 0)
        onTrouble?.({ places: without.map((partition) => ({ topic, partition })), error });
      resolve(logs.flatMap(([partition, log]) => (without.includes(partition) ? [] : [ask(log, partition)])));
    });
  }

  openTransactions: Kafka['openTransactions'] = () => Promise.resolve([]);
  topicLimit: Kafka['topicLimit'] = (topic) =>
    this.tellsLimits
      ? Promise.resolve({ bytes: this.limits.get(topic) ?? 1_048_588, setting: 'max.message.bytes' })
      : Promise.reject(new Error('denied'));

  #requireSize(record: OutgoingRecord, index: number): void {
    const limit = this.limits.get(record.topic) ?? 1_048_588;
    const size = sizeAbove(record, limit);
    if (size === undefined) return;
    throw new RecordTooLargeError({ topic: record.topic, partition: 0 }, index, {
      bytes: size,
      brokers: BROKERS,
      limit: { bytes: this.tellsLimits ? limit : Infinity, setting: 'max.message.bytes' },
    });
  }

  committed: Kafka['committed'] = () => Promise.resolve(this.commits);

  transactionalProducer(): Promise<TransactionalProducer> {
    const epoch = (this.#epoch += 1);
    return Promise.resolve({
      fencingToken: String(epoch),
      write: (records) =>
        new Promise((resolve) => {
          if (epoch !== this.#epoch) throw new FencedError('another process has taken over');
          this.beforeWrite(records);
          for (const { topic } of records) this.topic(topic);
          for (const record of records) this.#requireLeader(record);
          records.forEach((record, index) => this.#requireSize(record, index));
          resolve(records.map((record) => this.produce(record)));
        }),
      close: () => Promise.resolve(),
    });
  }

  reader(options: ReaderOptions): Promise<Reader> {
    return new Promise((resolve) => {
      this.beforeReading();
      const reader = new MemoryReader(this, options);
      this.#readers.add(reader);
      resolve(reader);
    });
  }
}

class MemoryReader implements Reader {
  readonly #kafka: MemoryKafka;
  readonly #options: ReaderOptions;
  readonly #absent = new Set<string>();
  readonly #positions: TopicPartitionOffset[];
  #closed = false;
  #wake = Promise.withResolvers<undefined>();

  constructor(kafka: MemoryKafka, options: ReaderOptions) {
    this.#kafka = kafka;
    this.#options = options;
    this.#positions = options.from.map((position) => ({ ...position }));
  }

  wake(): void {
    this.#wake.resolve(undefined);
  }

  positions(): TopicPartitionOffset[] {
    return this.#positions;
  }

  add(from: readonly TopicPartitionOffset[]): void {
    this.#positions.push(...from);
    this.wake();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.wake();
    return Promise.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, void> {
    while (!this.#closed) {
      const batch = this.#next();
      if (batch !== undefined) {
        yield batch;
        continue;
      }
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  #next(): RecordBatch | undefined {
    for (const position of this.#positions) {
      const { topic, partition, offset } = position;
      const found = this.#kafka.find(topic);
      this.#tell(topic, found !== undefined);
      if (found !== undefined && position.topicId !== undefined && found.topicId !== position.topicId) {
        const jumped = { from: offset, to: 0n, cause: 'made-again' } as const;
        Object.assign(position, { topicId: found.topicId, offset: 0n });
        return { topic, topicId: found.topicId, partition, records: [], next: 0n, end: 0n, jumped };
      }
      const rest = found?.logs[partition]?.slice(Number(offset)) ?? [];
      const hidden = rest.findIndex((record) => this.#kafka.hides(record));
      const records = hidden < 0 ? rest : rest.slice(0, hidden);
      if (found === undefined || records.length === 0) continue;
      position.offset = offset + BigInt(records.length);
      return {
        topic,
        topicId: found.topicId,
        partition,
        records,
        next: position.offset,
        end: position.offset,
      };
    }
    return undefined;
  }

  /** Each topic that is away once, and once more when it is back. */
  #tell(topic: string, isThere: boolean): void {
    if (this.#options.awaitTopics !== true || this.#absent.has(topic) !== isThere) return;
    if (isThere) this.#absent.delete(topic);
    else this.#absent.add(topic);
    this.#options.onTrouble?.({ places: [{ topic }], error: isThere ? null : absentTopic(topic, BROKERS) });
  }
}

function gone(topic: string): Error {
  const cause = Object.assign(new Error(), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });
  return unknownTopic(topic, BROKERS, { cause });
}

function bytes(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

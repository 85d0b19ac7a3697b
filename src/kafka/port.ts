/**
 * What hippo asks of Kafka, in Kafka's own words. `kafkajs.ts` implements it; nothing else imports kafkajs.
 *
 * Guarantees at this boundary:
 * - No call hangs: each ends within its deadline, with a ServiceError that names the brokers tried (exit code 3).
 * - Offsets are 64 bit: `bigint` here, decimal text in JSON.
 * - Bytes stay bytes: no code below this interface decodes a key, a value or a header.
 */

import type { OpenTransaction } from '../core/open-transaction.ts';
import type { Headers } from '../core/headers.ts';
import type { HippoError } from '../core/errors.ts';
import type { AbsentError, DeniedError, LeaderlessError, TopicLimit } from './failures.ts';

export type { OpenTransaction };

export type { HeaderValue, Headers } from '../core/headers.ts';

export interface TopicPartition {
  topic: string;
  partition: number;
}

export interface KafkaRecord extends TopicPartition {
  /** The topic's, as Kafka prints it; left out for a record that is not from a broker. */
  topicId?: string | undefined;
  offset: bigint;
  /** Epoch milliseconds; -1 where the broker has none. */
  timestamp: number;
  key: Buffer | null;
  /** null is a tombstone. */
  value: Buffer | null;
  headers: Headers;
}

export interface OutgoingRecord {
  topic: string;
  /** Left out: by the key (murmur2, as Kafka's Java client does), or spread where there is no key. */
  partition?: number;
  key?: Buffer | string | null;
  value: Buffer | string | null;
  headers?: Headers<Buffer | string>;
  /** Epoch milliseconds; left out: now. */
  timestamp?: number;
}

/** An offset of one partition: a record's, or as a position the next one to be read. */
export interface TopicPartitionOffset extends TopicPartition {
  /** Kafka's id of the topic: one that is made again under its name has another id. Left out: of whichever has the name. */
  topicId?: string | undefined;
  offset: bigint;
}

export interface Broker {
  nodeId: number;
  host: string;
  port: number;
}

export interface ClusterInfo {
  clusterId: string;
  controller: number | null;
  brokers: Broker[];
}

export interface PartitionInfo {
  partition: number;
  /** Node id; -1 without a leader. */
  leader: number;
  replicas: number[];
  isr: number[];
}

export interface TopicInfo {
  topic: string;
  /** As Kafka prints it. */
  topicId: string;
  partitions: PartitionInfo[];
}

export interface TopicSpec {
  topic: string;
  partitions: number;
  replicationFactor: number;
  /** Kafka's own topic settings, e.g. `{ 'cleanup.policy': 'compact' }`. */
  config: Readonly<Record<string, string>>;
}

/** The range of a partition: `low` is the first offset, `high` the next one to be written. */
export interface OffsetRange {
  partition: number;
  low: bigint;
  high: bigint;
  /**
   * The last stable offset: where a reader of committed records gets now. Below `high` while a transaction is open; a
   * reader that must not wait for another program's transaction stops here.
   */
  stable: bigint;
}

export interface GroupInfo {
  group: string;
  /** Kafka's own state; `Unknown` for a protocol that this client does not speak (KIP-848). */
  state: 'Stable' | 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Dead' | 'Unknown';
  members: { memberId: string; clientId: string; clientHost: string }[];
}

/** Partitions that cannot be used for now, while others can. */
export interface Trouble {
  /** Without a partition: the whole topic. */
  places: readonly { topic: string; partition?: number }[];
  /** The missing right, leader or topic; null: it is over. */
  error: DeniedError | LeaderlessError | AbsentError | null;
}

/** What is known of topics that were asked for by name. */
export interface LookedUp {
  found: TopicInfo[];
  absent: string[];
  /** Topics that this user may not see: whether they exist is not known. */
  hidden: DeniedError[];
}

export interface Kafka {
  /** `host:port`, as configured. */
  readonly brokers: readonly string[];
  cluster(): Promise<ClusterInfo>;
  /**
   * Asks one broker at the address that it advertises, as reading and writing do.
   *
   * @returns how long the answer took, milliseconds
   * @throws UnreachableError within the connect timeout
   */
  roundTrip(broker: Broker): Promise<number>;
  /**
   * All topics that this user may see; internal ones (`__…`) too.
   *
   * @param names only these; those that do not exist are left out
   */
  topics(names?: readonly string[]): Promise<TopicInfo[]>;
  /** Tells apart topics that do not exist and topics that this user may not see. */
  lookUp(names: readonly string[]): Promise<LookedUp>;
  /** @returns the names that were created; the others were there. */
  createTopics(specs: readonly TopicSpec[]): Promise<string[]>;
  deleteTopics(names: readonly string[]): Promise<void>;
  topicConfig(topic: string): Promise<Record<string, string>>;
  /**
   * The oldest open transaction in each partition; partitions without one are left out. What this user may not know, or the
   * brokers do not tell, is null.
   *
   * @param places with their last stable offsets
   */
  openTransactions(places: readonly TopicPartitionOffset[]): Promise<OpenTransaction[]>;
  /** How large a batch of records may be that is written to the topic. */
  topicLimit(topic: string): Promise<TopicLimit>;
  /** @param onTrouble told of partitions that are left out; left out itself, those make the call throw */
  offsets(topic: string, onTrouble?: (trouble: Trouble) => void): Promise<OffsetRange[]>;
  /** Of each partition the first offset whose timestamp is at or after `at`; the end where there is none. */
  offsetsAt(
    topic: string,
    at: number,
    onTrouble?: (trouble: Trouble) => void,
  ): Promise<{ partition: number; offset: bigint }[]>;
  groups(prefix?: string): Promise<GroupInfo[]>;
  describeGroup(group: string): Promise<GroupInfo>;
  /** Partitions without a committed offset are left out. */
  committed(group: string, topics: readonly string[]): Promise<TopicPartitionOffset[]>;
  /** Only for an empty group. */
  deleteGroup(group: string): Promise<void>;
  /** A producer with acks from all in-sync replicas; idempotent. */
  producer(options?: ProducerOptions): Promise<Producer>;
  /** Fences any earlier producer with the same id. */
  transactionalProducer(transactionalId: string): Promise<TransactionalProducer>;
  /** Reads without a consumer group: leaves nothing behind on the broker. */
  reader(options: ReaderOptions): Promise<Reader>;
  /** Joins a group as a possible owner of all its partitions. */
  join(options: MemberOptions): Promise<Membership>;
  close(): Promise<void>;
}

export interface AppendedRecord {
  topic: string;
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** The same object again costs nothing. */
  headers?: Headers | undefined;
  partition?: number | undefined;
}

export interface AppendedPart {
  topic: string;
  key: Uint8Array | null;
  /** The value is what stands here from `from` up to `to`. */
  bytes: Buffer;
  from: number;
  to: number;
  /** Epoch milliseconds: the caller passes the time, because a million calls of the clock are slow. */
  timestamp: number;
}

export interface ProducerOptions {
  /**
   * Told of records that are given up because their partition could not be written to for the request timeout, while others
   * can: it has no leader, or too few replicas. Nothing more is written to this partition. Left out: the producer fails then.
   */
  onLost?(lost: LostRecords): void;
}

/** Consecutive records of one partition that were given up. */
export interface LostRecords extends TopicPartition {
  /** The first of them among all that this producer took in, from 0. */
  first: number;
  count: number;
  error: HippoError;
}

/** Where a record is; why its partition was given up; or either later, while its partition is still tried. */
export type SentRecord = TopicPartitionOffset | HippoError | Promise<TopicPartitionOffset | HippoError>;

export interface Producer {
  /** @returns where each record is, in the order of `records` */
  send(records: readonly OutgoingRecord[]): Promise<TopicPartitionOffset[]>;
  /**
   * As {@link send}, and does not wait for partitions in trouble: of their records it returns promises.
   *
   * @returns in the order of `records`
   */
  sendEach(records: readonly OutgoingRecord[]): Promise<SentRecord[]>;
  /**
   * For very many records: takes one in, without waiting until it is acknowledged. Bytes are copied.
   *
   * @returns a promise only where the caller must wait before the next call: the brokers are slower
   * @throws what made an earlier record fail for good: nothing after it is written
   */
  append(record: AppendedRecord): Promise<void> | undefined;
  /** The same without headers, for a value that is a part of `bytes`: it is copied once, into its batch. */
  appendPart(part: AppendedPart): Promise<void> | undefined;
  /** How many of the appended records are acknowledged, counted up to the first one that is not. */
  readonly acknowledged: number;
  /**
   * Sends what was appended so far, and resolves when all of that is acknowledged; more can be appended meanwhile.
   *
   * @throws what made a record fail for good
   */
  flush(): Promise<void>;
  /** What was appended and not flushed may be lost. */
  close(): Promise<void>;
}

export interface TransactionalProducer {
  /**
   * Its producer id and epoch as one decimal number: greater than that of the producer of the same id before it, as long as the
   * brokers have not forgotten the id.
   */
  readonly fencingToken: string;
  /**
   * Writes all of `records`, or none: one Kafka transaction.
   *
   * @returns where each record is, in the order of `records`
   * @throws FencedError when another producer has taken the transactional id over
   */
  write(records: readonly OutgoingRecord[]): Promise<TopicPartitionOffset[]>;
  close(): Promise<void>;
}

export interface ReaderOptions {
  from: readonly TopicPartitionOffset[];
  /** Stop a partition before this offset; left out: follow for ever. */
  until?: readonly TopicPartitionOffset[];
  /** Default true: records of open and aborted transactions stay hidden. */
  readCommitted?: boolean;
  /** How long a fetch may wait for data, milliseconds. Default 500. */
  maxWait?: number;
  /**
   * How long the brokers may be away, milliseconds, before the iterator throws a ServiceError. Left out: for ever; the
   * reader goes on where it was when they are back.
   */
  patience?: number;
  /**
   * Told of partitions that cannot be read while the reader goes on with the others, and when they can be read again.
   * A partition that has an end in `until` is given up then. Left out: a missing right makes the iterator throw, and for
   * a missing leader the reader waits.
   */
  onTrouble?(trouble: Trouble): void;
  /**
   * A topic that is deleted is a trouble like another one, told after 10 seconds: it is read from its beginning when it is
   * made again. Left out: the iterator throws then.
   */
  awaitTopics?: boolean;
}

/** What one fetch of one partition brought. */
export interface RecordBatch extends TopicPartition {
  topicId: string;
  records: KafkaRecord[];
  /** The position after this batch: past gaps of compaction and control records too. */
  next: bigint;
  /** The end of the partition (last stable offset when reading committed) as of this fetch. */
  end: bigint;
  /** Only where the position was not in the log. Reading went on at `to`, the start of the log. */
  jumped?: Jump;
}

/** From a position that is not in the log to one that is. */
export interface Jump {
  from: bigint;
  to: bigint;
  cause: JumpCause;
}

export type JumpCause =
  /** Retention, or an operator, removed records before they were read. */
  | 'removed'
  /** The log ends before the position: it lost records, or the topic is not the one that it was. */
  | 'shorter'
  /** The topic was deleted and made again under its name. All its partitions are read from their beginning. */
  | 'made-again';

/**
 * An async iterator of batches; ends when every partition has reached its `until`, or after `close`. A partition whose
 * topic was created again, or whose log is shorter than `until`, has reached it too.
 */
export interface Reader extends AsyncIterable<RecordBatch> {
  /** The position of each partition: the next offset that will be read. */
  positions(): TopicPartitionOffset[];
  /** Reads these partitions too, from now on; those that it reads already stay as they are. */
  add(from: readonly TopicPartitionOffset[]): void;
  close(): Promise<void>;
}

export interface MemberOptions {
  group: string;
  topics: readonly string[];
  /** Milliseconds; the member is declared dead after this long without a heartbeat. */
  sessionTimeout: number;
  heartbeatInterval: number;
  /** This member owns all partitions from now on. Called again after a lost and regained membership. */
  onGained(): void;
  /** This member owns nothing any more (a rebalance took it, the session expired, the connection was lost). */
  onLost(reason: string): void;
  /** The group has made another member the owner. After `onLost` another member may own; now one does. */
  onStandby(): void;
  /** The group cannot be reached. */
  onDisconnected(reason: string): void;
  /** It can be reached again. */
  onConnected(): void;
  /**
   * The broker has told that this member, the owner, belongs to the group.
   *
   * @param asked when it was asked, as performance.now() has it: no other member owns within a session of that
   */
  onContact?(asked: number): void;
  /** The membership is over for good: the process must end and be restarted by its supervisor. */
  onCrash(error: Error): void;
}

/**
 * Membership of a group that gives every partition to one member and keeps it there while that member lives.
 * It is a lock with a lease, and a place for committed offsets that lag tools read; records are read by a {@link
 * Reader}.
 */
export interface Membership {
  readonly memberId: string;
  readonly isOwner: boolean;
  /** Asks the broker now whether this member still owns. If it does not, `onLost` has been called. */
  confirm(): Promise<boolean>;
  /**
   * Follows for lag tools; never throws. Does nothing when not the owner.
   *
   * @returns whether the group has all of them now
   */
  commit(positions: readonly TopicPartitionOffset[]): Promise<boolean>;
  leave(): Promise<void>;
}

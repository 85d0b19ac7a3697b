import { ServiceError, UserError } from '../core/errors.ts';
import type { Cluster } from './cluster.ts';
import { isConnectionError, isRetriable } from './errors.ts';
import { partitionForKey } from './partitioner.ts';
import { isList } from '../core/headers.ts';
import type {
  AppendedPart,
  AppendedRecord,
  Headers,
  OutgoingRecord,
  Producer,
  TopicPartitionOffset,
} from './port.ts';
import {
  BatchWriter,
  type Broker,
  InitProducerId,
  Produce,
  type RecordPart,
  type ProtocolError,
  errorOf,
  failOn,
} from './wire/index.ts';

/** A little below the brokers' default max.message.bytes, which limits a batch. */
const BATCH_BYTES = 1_000_000;
/** What a batch begins with; it grows as it fills. */
const FIRST_BYTES = 4096;
/** So many requests are under way at a time: a broker has the next one when it is done with one. */
const REQUESTS = 4;
/** Of one of them, about. */
const REQUEST_BYTES = 2 * 1024 * 1024;
/** A writer that is faster than the brokers waits while this much has not been acknowledged. */
const HIGH_WATER = 16 * 1024 * 1024;
const LOW_WATER = 12 * 1024 * 1024;
/** Memory of acknowledged batches that is kept to be used again. */
const SPARE_BYTES = HIGH_WATER;

/** Sequences are 32 bit and wrap around to 0. */
const SEQUENCES = 2 ** 31;

/** Who writes, as the broker knows it: https://cwiki.apache.org/confluence/display/KAFKA/KIP-98 */
export interface ProducerIdentity {
  transactionalId: string | null;
  producerId: bigint;
  producerEpoch: number;
}

interface Batch {
  writer: BatchWriter;
  /** How many records were appended before its first one, to any partition. */
  before: number;
  /** Set when it is closed to further records. */
  sealed: Buffer | undefined;
  isAcknowledged: boolean;
  /** Set when it is acknowledged; -1 where the acknowledgement did not say. */
  baseOffset: bigint;
}

interface PartitionLog {
  topic: string;
  partition: number;
  nextSequence: number;
  /** Oldest first: the first one is sent, the last one may be open. */
  batches: Batch[];
  /** Whether the first one is sent. */
  isUnderWay: boolean;
}

interface TopicState {
  /** By partition. */
  logs: readonly PartitionLog[];
  /** Where records without a key go until that batch is closed (KIP-480). */
  sticky: number;
}

/**
 * Writes batches in order and exactly once: idempotent, acknowledged by all in-sync replicas. Of each partition one batch is under
 * way at a time; meanwhile the next ones are filled. A request that fails is sent again with the same sequence numbers, so that
 * neither order nor count can change.
 */
export class IdempotentProducer implements Producer {
  readonly #cluster: Cluster;
  readonly #identity: ProducerIdentity;
  readonly #topics = new Map<string, TopicState>();
  readonly #spare: Buffer[] = [];
  #spareBytes = 0;
  #appended = 0;
  /** Bytes of batches that are not acknowledged, and of these of the ones that are closed. */
  #held = 0;
  #sealed = 0;
  #requests = 0;
  #failure: Error | undefined;
  #changed: (() => void)[] = [];

  constructor(cluster: Cluster, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#identity = identity;
  }

  async send(records: readonly OutgoingRecord[]): Promise<TopicPartitionOffset[]> {
    const added: { batch: Batch; index: number; topic: string; partition: number }[] = [];
    for (const record of records) {
      const { topic, headers, timestamp } = record;
      const state = this.#topics.get(topic) ?? (await this.#learn(topic));
      const key = bytesOf(record.key ?? null);
      const value = bytesOf(record.value);
      const log = logFor(state, topic, key, record.partition);
      const batch = this.#put(log, state, {
        key,
        bytes: value,
        from: 0,
        to: value?.length ?? 0,
        headers: headersOf(headers),
        timestamp: timestamp ?? Date.now(),
      });
      added.push({ batch, index: batch.writer.count - 1, topic, partition: log.partition });
    }
    await this.flush();
    return added.map(({ batch, index, topic, partition }) => ({
      topic,
      partition,
      offset: batch.baseOffset < 0n ? -1n : batch.baseOffset + BigInt(index),
    }));
  }

  append(record: AppendedRecord): Promise<void> | undefined {
    const { topic, key, value, headers, partition } = record;
    const state = this.#topics.get(topic);
    if (state === undefined) return this.#learn(topic).then(() => this.append(record));
    const part = { key, bytes: value, from: 0, to: value?.length ?? 0, headers, timestamp: Date.now() };
    this.#put(logFor(state, topic, key, partition), state, part);
    return this.#held < HIGH_WATER ? undefined : this.#roomAgain();
  }

  appendPart(part: AppendedPart): Promise<void> | undefined {
    const { topic, key } = part;
    const state = this.#topics.get(topic);
    if (state === undefined) return this.#learn(topic).then(() => this.appendPart(part));
    this.#put(logFor(state, topic, key, undefined), state, part);
    return this.#held < HIGH_WATER ? undefined : this.#roomAgain();
  }

  get acknowledged(): number {
    let least = this.#appended;
    for (const { logs } of this.#topics.values())
      for (const { batches } of logs) least = Math.min(least, batches[0]?.before ?? least);
    return least;
  }

  async flush(): Promise<void> {
    const last = this.#sealAll();
    this.#pump();
    while (this.#failure === undefined && last.some(({ isAcknowledged }) => !isAcknowledged))
      await this.#change();
    this.#check();
  }

  close(): Promise<void> {
    this.#failure ??= new ServiceError('the producer is closed');
    this.#wake();
    return Promise.resolve();
  }

  async #learn(topic: string): Promise<TopicState> {
    const partitions = await this.#cluster.attempt({ topic }, () => this.#cluster.partitions(topic));
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const logs = partitions.map((partition): PartitionLog => ({
      topic,
      partition,
      nextSequence: 0,
      batches: [],
      isUnderWay: false,
    }));
    const state = { logs, sticky: Math.floor(Math.random() * logs.length) };
    this.#topics.set(topic, state);
    return state;
  }

  #put(log: PartitionLog, state: TopicState, part: RecordPart): Batch {
    this.#check();
    let batch = log.batches.at(-1);
    if (batch === undefined || batch.sealed !== undefined) batch = this.#open(log);
    let before = batch.writer.size;
    if (!batch.writer.appendPart(part)) {
      this.#seal(log, batch);
      if (part.key === null) state.sticky += 1;
      this.#pump();
      batch = this.#open(log);
      before = batch.writer.size;
      batch.writer.appendPart(part);
    }
    this.#held += batch.writer.size - before;
    this.#appended += 1;
    return batch;
  }

  #open(log: PartitionLog): Batch {
    const spare = this.#spare.pop();
    this.#spareBytes -= spare?.length ?? 0;
    const memory = spare ?? Buffer.allocUnsafe(FIRST_BYTES);
    const writer = new BatchWriter(BATCH_BYTES, memory);
    const before = this.#appended;
    const batch: Batch = { writer, before, sealed: undefined, isAcknowledged: false, baseOffset: -1n };
    log.batches.push(batch);
    this.#held += writer.size;
    return batch;
  }

  /** @returns the last batch of each partition that has any */
  #sealAll(): Batch[] {
    const last: Batch[] = [];
    for (const { logs } of this.#topics.values()) {
      for (const log of logs) {
        const batch = log.batches.at(-1);
        if (batch === undefined) continue;
        this.#seal(log, batch);
        last.push(batch);
      }
    }
    return last;
  }

  #seal(log: PartitionLog, batch: Batch): void {
    if (batch.sealed !== undefined) return;
    const { transactionalId, producerId, producerEpoch } = this.#identity;
    batch.sealed = batch.writer.seal({
      producerId,
      producerEpoch,
      baseSequence: log.nextSequence,
      transactional: transactionalId !== null,
    });
    log.nextSequence = (log.nextSequence + batch.writer.count) % SEQUENCES;
    this.#sealed += batch.sealed.length;
  }

  /** Sends what is closed until nothing is left, or something fails for good. */
  #pump(): void {
    for (let heads; this.#requests < REQUESTS && (heads = this.#heads()).length > 0;)
      void this.#sendFrom(heads);
  }

  /** One request after the other, as long as there is something for it. */
  async #sendFrom(first: readonly PartitionLog[]): Promise<void> {
    this.#requests += 1;
    try {
      for (let heads = first; heads.length > 0; heads = this.#heads()) await this.#deliver(heads);
    } catch (error) {
      this.#failure ??= error as Error;
    } finally {
      this.#requests -= 1;
      this.#wake();
    }
  }

  async #deliver(heads: readonly PartitionLog[]): Promise<void> {
    for (const log of heads) log.isUnderWay = true;
    const pending = new Set(heads);
    const topic = heads[0]?.topic;
    const { transactionalId } = this.#identity;
    try {
      await this.#cluster.attempt(
        {
          ...(topic === undefined ? {} : { topic }),
          ...(transactionalId === null ? {} : { transactionalId }),
        },
        () => this.#round(pending),
      );
    } finally {
      for (const log of heads) log.isUnderWay = false;
    }
  }

  /** The partitions whose first batch is closed and not under way, as many as fit into a request. */
  #heads(): PartitionLog[] {
    const heads: PartitionLog[] = [];
    if (this.#failure !== undefined) return heads;
    let bytes = 0;
    for (const { logs } of this.#topics.values()) {
      for (const log of logs) {
        const sealed = log.batches[0]?.sealed;
        if (sealed === undefined || log.isUnderWay) continue;
        if (heads.length > 0 && bytes + sealed.length > REQUEST_BYTES) return heads;
        heads.push(log);
        bytes += sealed.length;
      }
    }
    return heads;
  }

  /** One try: the first batch of each pending partition to its leader. What is acknowledged is taken out of `pending`. */
  async #round(pending: Set<PartitionLog>): Promise<void> {
    const byLeader = new Map<Broker, PartitionLog[]>();
    for (const log of pending) {
      const leader = await this.#cluster.leader(log.topic, log.partition);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), log]);
    }
    const results = await Promise.allSettled(
      [...byLeader].map(([broker, logs]) => this.#produce(broker, logs, pending)),
    );
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    if (failures.length === 0) return;
    this.#cluster.forgetLeaders([...pending].map(({ topic }) => topic));
    // What cannot pass decides.
    throw failures.find((error) => !isConnectionError(error) && !isRetriable(error)) ?? failures[0];
  }

  async #produce(broker: Broker, logs: readonly PartitionLog[], pending: Set<PartitionLog>): Promise<void> {
    const { requestTimeout } = this.#cluster.settings;
    const batches = logs.map(({ topic, partition, batches: [batch] }) => ({
      topic,
      partition,
      bytes: batch?.sealed ?? Buffer.alloc(0),
    }));
    const { transactionalId } = this.#identity;
    const request = { transactionalId, timeout: requestTimeout, batches };
    const answer = await this.#cluster.send(broker, Produce, request);
    let failed: ProtocolError | undefined;
    for (const { topic, partition, errorCode, baseOffset } of answer.partitions) {
      const log = logs.find((sent) => sent.topic === topic && sent.partition === partition);
      if (log === undefined) continue;
      const error = errorOf(errorCode);
      // The broker has a duplicate already: a first try was acknowledged, and the acknowledgement was lost.
      if (error === undefined || error.type === 'DUPLICATE_SEQUENCE_NUMBER') {
        this.#acknowledge(log, error === undefined ? baseOffset : -1n);
        pending.delete(log);
      } else if (failed === undefined || !error.retriable) failed = error;
    }
    if (failed !== undefined) throw failed;
    this.#wake();
  }

  #acknowledge(log: PartitionLog, baseOffset: bigint): void {
    const batch = log.batches.shift();
    if (batch?.sealed === undefined) return;
    batch.isAcknowledged = true;
    batch.baseOffset = baseOffset;
    this.#held -= batch.sealed.length;
    this.#sealed -= batch.sealed.length;
    const { memory } = batch.writer;
    if (this.#spareBytes + memory.length > SPARE_BYTES || memory.length > 2 * BATCH_BYTES) return;
    this.#spare.push(memory);
    this.#spareBytes += memory.length;
  }

  async #roomAgain(): Promise<void> {
    // Of many partitions each batch may be far from full.
    if (this.#sealed < HIGH_WATER - LOW_WATER) this.#sealAll();
    this.#pump();
    while (this.#failure === undefined && this.#held > LOW_WATER) await this.#change();
    this.#check();
  }

  /** Resolves when something was acknowledged, or nothing more will be. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  /** @throws what made an earlier record fail for good */
  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #wake(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }
}

/** @throws UserError for a partition that the topic does not have */
function logFor(
  { logs, sticky }: TopicState,
  topic: string,
  key: Uint8Array | null,
  wanted: number | undefined,
): PartitionLog {
  const partition = wanted ?? (key === null ? sticky % logs.length : partitionForKey(key, logs.length));
  const log = logs[partition];
  if (log !== undefined) return log;
  throw new UserError(`${topic} has no partition ${partition}`, {
    why: `It has ${logs.length}, from 0.`,
    place: { topic, partition },
  });
}

function bytesOf(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function headersOf(headers: OutgoingRecord['headers']): Headers | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isList(value) ? value.map(bytesOf) : bytesOf(value),
    ]),
  );
}

/**
 * Asks the broker for a producer id and epoch. With a transactional id this fences an earlier producer of that id and
 * aborts its open transaction.
 */
export function initProducer(
  cluster: Cluster,
  transactionalId: string | null,
  transactionTimeout: number,
): Promise<ProducerIdentity> {
  const ask = async (broker: Broker): Promise<ProducerIdentity> => {
    const answer = await cluster.send(broker, InitProducerId, { transactionalId, transactionTimeout });
    failOn(answer.errorCode);
    return { transactionalId, producerId: BigInt(answer.producerId), producerEpoch: answer.producerEpoch };
  };
  return transactionalId === null
    ? cluster.attempt({}, async () => ask(await cluster.any()))
    : cluster.attempt({ transactionalId }, () => cluster.atCoordinator('transaction', transactionalId, ask));
}

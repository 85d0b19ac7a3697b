import { type HippoError, ServiceError, UserError } from '../core/errors.ts';
import { topicLimit } from './admin.ts';
import type { Cluster } from './cluster.ts';
import { isConnectionError, isRetriable, leaderless } from './errors.ts';
import { LeaderlessError, RecordTooLargeError, type TopicLimit, UnreachableError } from './failures.ts';
import { LackedRight, failLacking, lacking } from './lacking.ts';
import { Ordinals } from './ordinals.ts';
import { partitionForKey } from './partitioner.ts';
import type {
  AppendedPart,
  AppendedRecord,
  OutgoingRecord,
  Producer,
  ProducerOptions,
  SentRecord,
  TopicPartitionOffset,
} from './port.ts';
import { bytesOf, headersOf } from './record-size.ts';
import { onCluster, onTopic, onTransactionalId } from './rights.ts';
import {
  BatchWriter,
  type Broker,
  InitProducerId,
  Produce,
  type RecordPart,
  ProtocolError,
  errorOf,
  isTooLarge,
  splitBatch,
} from './wire/index.ts';

/** A little below the brokers' default max.message.bytes, which limits a batch. A topic may have a lower one. */
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
/**
 * Batches of partitions that are being tried again do not count towards {@link HIGH_WATER} up to this size: otherwise a writer
 * would wait for these partitions before it can write to others.
 */
const TROUBLED_BYTES = 64 * 1024 * 1024;
/** A sender of records waits no longer for partitions that are being tried again, milliseconds. An election takes less. */
const LATE_MS = 2_000;
/** Memory of acknowledged batches that is kept to be used again. */
const SPARE_BYTES = HIGH_WATER;

/** Of a topic whose settings may not be read. */
const NO_LIMIT: TopicLimit = { bytes: Infinity, setting: 'max.message.bytes' };

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
  /** Of its records, among all that were appended to any partition. */
  ordinals: Ordinals;
  /** Set when it is closed to further records. */
  sealed: Buffer | undefined;
  /** What it was split into, because the topic does not take so large a batch. */
  halves: readonly [Batch, Batch] | undefined;
  isAcknowledged: boolean;
  /** Set when its partition was given up: its records will not be sent again. */
  lost: HippoError | undefined;
  /** Set when it is acknowledged; -1 where the acknowledgement did not say. */
  baseOffset: bigint;
}

/** A record in its batch. */
interface Added {
  batch: Batch;
  index: number;
  ordinal: number;
  topic: string;
  partition: number;
}

interface PartitionLog {
  topic: string;
  partition: number;
  nextSequence: number;
  /** Oldest first: the first one is sent, the last one may be open. */
  batches: Batch[];
  /** Whether the first one is sent. */
  isUnderWay: boolean;
  /** Since when its first batch is being tried again, by performance.now(). */
  troubledSince: number | undefined;
  /** Set when it was given up: the batch that stands for all later records, which are not written. */
  lost: Batch | undefined;
}

interface TopicState {
  topic: string;
  /** By partition. */
  logs: PartitionLog[];
  /** What the topic takes at most, bytes of a batch, as far as that is known. */
  batchBytes: number;
  /** The same as the broker's settings say it, once they have been asked for. */
  limit: TopicLimit | undefined;
  /** Where records without a key go until that batch is closed (KIP-480). */
  sticky: number;
}

/**
 * Writes batches in order and exactly once: idempotent, acknowledged by all in-sync replicas. Of each partition one batch is under
 * way at a time; meanwhile the next ones are filled. A request that fails is sent again with the same sequence numbers, so that
 * neither order nor count can change; partitions that are tried again do not hold up the others. A batch that is larger than its topic takes is split, and its records keep their sequence
 * numbers.
 */
export class IdempotentProducer implements Producer {
  readonly #cluster: Cluster;
  readonly #identity: ProducerIdentity;
  readonly #options: ProducerOptions;
  readonly #topics = new Map<string, TopicState>();
  readonly #spare: { bytes: Buffer; ordinals: Uint32Array }[] = [];
  #spareBytes = 0;
  #appended = 0;
  /** Bytes of batches that are not acknowledged, and of these of the ones that are closed. */
  #held = 0;
  #sealed = 0;
  #requests = 0;
  #failure: Error | undefined;
  #changed: (() => void)[] = [];

  constructor(cluster: Cluster, identity: ProducerIdentity, options: ProducerOptions = {}) {
    this.#cluster = cluster;
    this.#identity = identity;
    this.#options = options;
  }

  async send(records: readonly OutgoingRecord[]): Promise<TopicPartitionOffset[]> {
    const added = await this.#add(records, () => this.flush());
    return added.map((each) => {
      const lost = lostIn(each.batch);
      if (lost !== undefined) throw lost;
      return this.#placeOf(each);
    });
  }

  async sendEach(records: readonly OutgoingRecord[]): Promise<SentRecord[]> {
    const added = await this.#add(records, () => this.#settle());
    return added.map((each) => {
      const { batch } = each;
      if (isSettled(batch)) return lostIn(batch) ?? this.#placeOf(each);
      return this.#settled(batch).then(() => lostIn(batch) ?? this.#placeOf(each));
    });
  }

  #placeOf({ batch, index, topic, partition }: Added): TopicPartitionOffset {
    return {
      topic,
      topicId: this.#cluster.topicId(topic),
      partition,
      offset: offsetIn(batch, index),
    };
  }

  /** @param written resolves when what was added is written */
  async #add(records: readonly OutgoingRecord[], written: () => Promise<void>): Promise<Added[]> {
    const added: Added[] = [];
    try {
      for (const record of records) {
        const { topic, headers, timestamp } = record;
        const state = await this.#stateOf(topic, record.partition ?? 0);
        // A single record needs no answer of its own: its refusal says the same.
        if (records.length > 1 && state.limit === undefined) await this.#learnLimit(state);
        const key = bytesOf(record.key ?? null);
        const value = bytesOf(record.value);
        const log = logFor(state, topic, key, record.partition);
        const ordinal = this.#appended;
        const batch = this.#put(log, state, {
          key,
          bytes: value,
          from: 0,
          to: value?.length ?? 0,
          headers: headersOf(headers),
          timestamp: timestamp ?? Date.now(),
        });
        added.push({ batch, index: batch.writer.count - 1, ordinal, topic, partition: log.partition });
      }
      await written();
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      // What came before a record that was never taken in is written.
      if (this.#failure === undefined) await this.flush();
      const index = added.findIndex(({ ordinal }) => ordinal === error.index);
      throw error.at(index === -1 ? added.length : index);
    }
    return added;
  }

  append(record: AppendedRecord): Promise<void> | undefined {
    const { topic, key, value, headers, partition } = record;
    const state = this.#topics.get(topic);
    if (state?.limit === undefined) return this.#prepare(topic).then(() => this.append(record));
    const part = { key, bytes: value, from: 0, to: value?.length ?? 0, headers, timestamp: Date.now() };
    this.#put(logFor(state, topic, key, partition), state, part);
    return this.#held < HIGH_WATER || this.#pressing() < HIGH_WATER ? undefined : this.#roomAgain();
  }

  appendPart(part: AppendedPart): Promise<void> | undefined {
    const { topic, key } = part;
    const state = this.#topics.get(topic);
    if (state?.limit === undefined) return this.#prepare(topic).then(() => this.appendPart(part));
    this.#put(logFor(state, topic, key, undefined), state, part);
    return this.#held < HIGH_WATER || this.#pressing() < HIGH_WATER ? undefined : this.#roomAgain();
  }

  get acknowledged(): number {
    let least = this.#appended;
    for (const { logs } of this.#topics.values())
      for (const { batches } of logs) least = Math.min(least, batches[0]?.ordinals.first ?? least);
    return least;
  }

  async flush(): Promise<void> {
    const last = this.#sealAll();
    this.#pump();
    while (this.#failure === undefined && !last.every(({ batch }) => isSettled(batch))) await this.#change();
    this.#check();
  }

  /** As {@link flush}, except that partitions that have been in trouble for a while are left to their further tries. */
  async #settle(): Promise<void> {
    const last = this.#sealAll();
    this.#pump();
    const isWaitedFor = ({ log, batch }: { log: PartitionLog; batch: Batch }): boolean =>
      !isSettled(batch) && (log.troubledSince ?? Infinity) > performance.now() - LATE_MS;
    const timer = setInterval(() => this.#wake(), LATE_MS / 4);
    try {
      while (this.#failure === undefined && last.some(isWaitedFor)) await this.#change();
    } finally {
      clearInterval(timer);
    }
    this.#check();
  }

  async #settled(batch: Batch): Promise<void> {
    while (this.#failure === undefined && !isSettled(batch)) await this.#change();
    if (!isSettled(batch)) this.#check();
  }

  #logs(): PartitionLog[] {
    return [...this.#topics.values()].flatMap(({ logs }) => logs);
  }

  close(): Promise<void> {
    this.#failure ??= new ServiceError('the producer is closed');
    this.#wake();
    return Promise.resolve();
  }

  /** A topic that has more partitions than it had is learnt again. */
  async #stateOf(topic: string, partition: number): Promise<TopicState> {
    const known = this.#topics.get(topic);
    if (known !== undefined && partition < known.logs.length) return known;
    if (known !== undefined) this.#cluster.forgetLeaders([topic]);
    return this.#learn(topic);
  }

  async #learn(topic: string): Promise<TopicState> {
    const partitions = await this.#cluster.attempt({ topic }, () => this.#cluster.partitions(topic));
    const known = this.#topics.get(topic);
    const logs = partitions.slice(known?.logs.length ?? 0).map((partition): PartitionLog => ({
      topic,
      partition,
      nextSequence: 0,
      batches: [],
      isUnderWay: false,
      troubledSince: undefined,
      lost: undefined,
    }));
    if (known !== undefined) {
      known.logs.push(...logs);
      return known;
    }
    const sticky = Math.floor(Math.random() * logs.length);
    const state: TopicState = { topic, logs, batchBytes: BATCH_BYTES, limit: undefined, sticky };
    this.#topics.set(topic, state);
    return state;
  }

  /** What the topic takes; an answer that is refused, or does not come, leaves it to what the broker says of each batch. */
  async #learnLimit(state: TopicState): Promise<TopicLimit> {
    const limit = await topicLimit(this.#cluster, state.topic).catch(() => NO_LIMIT);
    state.limit = limit;
    state.batchBytes = Math.min(state.batchBytes, limit.bytes);
    return limit;
  }

  async #prepare(topic: string): Promise<void> {
    await this.#learnLimit(await this.#learn(topic));
  }

  /** @throws RecordTooLargeError for a record that is known to be; nothing has happened then */
  #put(log: PartitionLog, state: TopicState, part: RecordPart): Batch {
    this.#check();
    if (log.lost?.lost !== undefined) return this.#putLost(log, log.lost, log.lost.lost);
    let batch = log.batches.at(-1);
    if (batch === undefined || batch.sealed !== undefined) batch = this.#open(log, state);
    let before = batch.writer.size;
    if (!batch.writer.appendPart(part)) {
      this.#seal(log, batch);
      if (part.key === null) state.sticky += 1;
      this.#pump();
      batch = this.#open(log, state);
      before = batch.writer.size;
      batch.writer.appendPart(part);
    }
    const { writer } = batch;
    this.#held += writer.size - before;
    if (writer.count === 1 && state.limit !== undefined && writer.size > state.limit.bytes) {
      log.batches.pop();
      this.#held -= writer.size;
      throw new RecordTooLargeError(log, this.#appended, {
        bytes: writer.size,
        limit: state.limit,
        brokers: this.#cluster.brokers,
      });
    }
    batch.ordinals.push(this.#appended);
    this.#appended += 1;
    return batch;
  }

  /** Counts a record for a partition that was given up. */
  #putLost({ topic, partition }: PartitionLog, batch: Batch, error: HippoError): Batch {
    this.#options.onLost?.({ topic, partition, first: this.#appended, count: 1, error });
    this.#appended += 1;
    return batch;
  }

  #open(log: PartitionLog, { batchBytes }: TopicState): Batch {
    const spare = this.#spare.pop();
    this.#spareBytes -= spare?.bytes.length ?? 0;
    const writer = new BatchWriter(batchBytes, spare?.bytes ?? Buffer.allocUnsafe(FIRST_BYTES));
    const batch = newBatch(writer, new Ordinals(spare?.ordinals));
    log.batches.push(batch);
    this.#held += batch.writer.size;
    return batch;
  }

  /** @returns the last batch of each partition that has any */
  #sealAll(): { log: PartitionLog; batch: Batch }[] {
    const last: { log: PartitionLog; batch: Batch }[] = [];
    for (const { logs } of this.#topics.values()) {
      for (const log of logs) {
        const batch = log.batches.at(-1);
        if (batch === undefined) continue;
        this.#seal(log, batch);
        last.push({ log, batch });
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

  /** What fails and may pass is tried again apart, so that the requests for other partitions go on. */
  async #deliver(heads: readonly PartitionLog[]): Promise<void> {
    for (const log of heads) log.isUnderWay = true;
    const pending = new Set(heads);
    try {
      await this.#round(pending);
    } catch (error) {
      if (!mayPass(error)) {
        this.#release(pending);
        throw this.#cluster.translate(error, this.#doing);
      }
      for (const log of pending) log.troubledSince ??= performance.now();
      void this.#tryAgain(pending);
    }
  }

  async #tryAgain(pending: Set<PartitionLog>): Promise<void> {
    let last: unknown;
    try {
      await this.#cluster.attempt(this.#doing, async () => {
        try {
          if (this.#failure === undefined) await this.#round(pending);
        } catch (error) {
          last = error;
          throw error;
        } finally {
          // Partitions that are back may have more to send.
          this.#pump();
        }
      });
    } catch (error) {
      // Without any broker nothing can be written; a partition of its own may lack its leader or replicas.
      if (
        this.#options.onLost === undefined ||
        !mayPass(last) ||
        last instanceof UnreachableError ||
        this.#cluster.isClosed
      )
        this.#failure ??= error as Error;
      else for (const log of pending) this.#giveUp(log, error as HippoError);
    } finally {
      this.#release(pending);
      this.#pump();
      this.#wake();
    }
  }

  get #doing(): { transactionalId?: string } {
    const { transactionalId } = this.#identity;
    return transactionalId === null ? {} : { transactionalId };
  }

  #release(logs: Iterable<PartitionLog>): void {
    for (const log of logs) {
      log.isUnderWay = false;
      log.troubledSince = undefined;
    }
  }

  /** Whether its first batch was written is not known, if that was sent; nothing after it was. */
  #giveUp(log: PartitionLog, reason: HippoError): void {
    const { topic, partition, batches } = log;
    const error =
      reason instanceof LeaderlessError
        ? leaderless(topic, [partition], this.#cluster.brokers)
        : new ServiceError(`${topic}[${partition}] cannot be written to`, {
            why: [reason.message, reason.why].filter((text) => text !== undefined).join('\n'),
            next: reason.next,
            place: { topic, partition },
            cause: reason,
          });
    log.lost = { ...newBatch(new BatchWriter(0, Buffer.alloc(0)), new Ordinals()), lost: error };
    log.batches = [];
    for (const batch of batches) {
      batch.lost = error;
      this.#held -= batch.sealed?.length ?? batch.writer.size;
      this.#sealed -= batch.sealed?.length ?? 0;
      const { first } = batch.ordinals;
      if (first !== undefined)
        this.#options.onLost?.({ topic, partition, first, count: batch.writer.count, error });
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
    const failures: unknown[] = [];
    for (const log of pending) {
      try {
        const leader = await this.#cluster.leader(log.topic, log.partition);
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), log]);
      } catch (error) {
        failures.push(error instanceof ProtocolError ? placed(error, log) : error);
        // The others have no leader either, or none that can be asked for.
        if (isConnectionError(error)) break;
      }
    }
    const results = await Promise.allSettled(
      [...byLeader].map(([broker, logs]) => this.#produce(broker, logs, pending)),
    );
    failures.push(
      ...results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
    );
    if (failures.length === 0) return;
    this.#cluster.forgetLeaders([...pending].map(({ topic }) => topic));
    // What cannot pass decides.
    throw failures.find((error) => !mayPass(error)) ?? failures[0];
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
    let failed: ProtocolError | RecordTooLargeError | undefined;
    for (const { topic, partition, errorCode, baseOffset } of answer.partitions) {
      const log = logs.find((sent) => sent.topic === topic && sent.partition === partition);
      if (log === undefined) continue;
      const error = this.#errorOf(errorCode, log);
      // The broker has a duplicate already: a first try was acknowledged, and the acknowledgement was lost.
      if (error === undefined || error.type === 'DUPLICATE_SEQUENCE_NUMBER') {
        this.#acknowledge(log, error === undefined ? baseOffset : -1n);
        pending.delete(log);
        this.#release([log]);
      } else if (isTooLarge(error)) {
        failed = (await this.#divide(log, error)) ?? failed;
        pending.delete(log);
        this.#release([log]);
      } else if (failed === undefined || !error.retriable) failed = error;
    }
    if (failed !== undefined) throw failed;
    this.#wake();
  }

  /**
   * Puts two halves in the place of a batch that its topic does not take: the next requests send them, in their order.
   *
   * @returns an error where it holds a single record
   */
  async #divide(log: PartitionLog, cause: ProtocolError): Promise<RecordTooLargeError | undefined> {
    const [batch] = log.batches;
    const state = this.#topics.get(log.topic);
    if (batch?.sealed === undefined || state === undefined) return undefined;
    const { sealed, ordinals, writer } = batch;
    if (writer.count === 1) {
      // It may have been lowered since it was asked for.
      const limit = await this.#learnLimit(state);
      return new RecordTooLargeError(log, ordinals.first ?? 0, {
        bytes: sealed.length,
        limit,
        brokers: this.#cluster.brokers,
        cause,
      });
    }
    const [one, other] = splitBatch(sealed);
    const [ofOne, ofOther] = ordinals.split(one.writer.count);
    const first = newBatch(one.writer, ofOne, one.sealed);
    const second = newBatch(other.writer, ofOther, other.sealed);
    batch.halves = [first, second];
    log.batches.splice(0, 1, first, second);
    const more = first.writer.size + second.writer.size - sealed.length;
    this.#held += more;
    this.#sealed += more;
    state.batchBytes = Math.min(state.batchBytes, Math.ceil(sealed.length / 2));
    this.#keep(batch);
    return undefined;
  }

  #errorOf(code: number, { topic, partition }: PartitionLog): ProtocolError | undefined {
    const error = errorOf(code)?.at({ topic, partition });
    const { transactionalId: id } = this.#identity;
    const own = id === null ? onCluster('IdempotentWrite') : onTransactionalId('Write', id);
    return error === undefined ? undefined : lacking(error, onTopic('Write', topic), own);
  }

  #acknowledge(log: PartitionLog, baseOffset: bigint): void {
    const batch = log.batches.shift();
    if (batch?.sealed === undefined) return;
    batch.isAcknowledged = true;
    batch.baseOffset = baseOffset;
    this.#held -= batch.sealed.length;
    this.#sealed -= batch.sealed.length;
    this.#keep(batch);
  }

  /** The memory of a batch that is not used any more. */
  #keep({ writer: { memory: bytes }, ordinals }: Batch): void {
    if (this.#spareBytes + bytes.length > SPARE_BYTES || bytes.length > 2 * BATCH_BYTES) return;
    this.#spare.push({ bytes, ordinals: ordinals.memory });
    this.#spareBytes += bytes.length;
  }

  async #roomAgain(): Promise<void> {
    // Of many partitions each batch may be far from full.
    if (this.#sealed - this.#troubled() < HIGH_WATER - LOW_WATER) this.#sealAll();
    this.#pump();
    while (this.#failure === undefined && this.#pressing() > LOW_WATER) {
      // Nothing is under way that could make room.
      if (this.#sealed === 0) {
        this.#sealAll();
        this.#pump();
      }
      await this.#change();
    }
    this.#check();
  }

  /** Bytes of the partitions that are being tried again. */
  #troubled(): number {
    let bytes = 0;
    for (const { troubledSince, batches } of this.#logs())
      if (troubledSince !== undefined) for (const { writer } of batches) bytes += writer.size;
    return bytes;
  }

  /** Bytes that a writer waits for. */
  #pressing(): number {
    return this.#held - Math.min(this.#troubled(), TROUBLED_BYTES);
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

/** A missing right keeps what it says. */
function placed(error: ProtocolError, { topic, partition }: PartitionLog): ProtocolError {
  return error instanceof LackedRight ? error : error.at({ topic, partition });
}

function newBatch(writer: BatchWriter, ordinals: Ordinals, sealed?: Buffer): Batch {
  return {
    writer,
    ordinals,
    sealed,
    halves: undefined,
    isAcknowledged: false,
    lost: undefined,
    baseOffset: -1n,
  };
}

/** Acknowledged or lost. The second half is sent when the first one is acknowledged. */
function isSettled({ halves, isAcknowledged, lost }: Batch): boolean {
  return halves === undefined ? isAcknowledged || lost !== undefined : isSettled(halves[1]);
}

/** Of a batch that was split the first half may be written. */
function lostIn({ halves, lost }: Batch): HippoError | undefined {
  return halves === undefined ? lost : (lostIn(halves[0]) ?? lostIn(halves[1]));
}

/** Whether another try may succeed. */
function mayPass(error: unknown): boolean {
  return isConnectionError(error) || isRetriable(error);
}

/** @returns -1 where the acknowledgement did not say */
function offsetIn({ halves, baseOffset }: Batch, index: number): bigint {
  if (halves === undefined) return baseOffset < 0n ? -1n : baseOffset + BigInt(index);
  const [first, second] = halves;
  const { count } = first.writer;
  return index < count ? offsetIn(first, index) : offsetIn(second, index - count);
}

/** @throws UserError for a partition that the topic does not have */
function logFor(
  { logs, sticky }: TopicState,
  topic: string,
  key: Uint8Array | null,
  wanted: number | undefined,
): PartitionLog {
  const partition = wanted ?? (key === null ? freeFrom(sticky, logs) : partitionForKey(key, logs.length));
  const log = logs[partition];
  if (log !== undefined) return log;
  throw new UserError(`${topic} has no partition ${partition}`, {
    why: `It has ${logs.length}, from 0.`,
    place: { topic, partition },
  });
}

/** The first partition from `sticky` on that is not in trouble; where all are, that one. */
function freeFrom(sticky: number, logs: readonly PartitionLog[]): number {
  for (let turn = 0; turn < logs.length; turn += 1) {
    const partition = (sticky + turn) % logs.length;
    const log = logs[partition];
    if (log?.troubledSince === undefined && log?.lost === undefined) return partition;
  }
  return sticky % logs.length;
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
    failLacking(
      answer.errorCode,
      transactionalId === null ? onCluster('IdempotentWrite') : onTransactionalId('Write', transactionalId),
    );
    return { transactionalId, producerId: BigInt(answer.producerId), producerEpoch: answer.producerEpoch };
  };
  return transactionalId === null
    ? cluster.attempt({}, async () => ask(await cluster.any()))
    : cluster.attempt({ transactionalId }, () => cluster.atCoordinator('transaction', transactionalId, ask));
}

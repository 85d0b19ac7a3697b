import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Json, type JsonObject, isJsonObject } from '../../core/json.ts';
import { ServiceError } from '../../core/errors.ts';
import { describeHoldUp } from '../../core/open-transaction.ts';
import { partitionForKey } from '../../kafka/partitioner.ts';
import type { Kafka, KafkaRecord, OutgoingRecord, TransactionalProducer } from '../../kafka/port.ts';
import {
  type OwnerRecord,
  type Positions,
  type StateValue,
  decodeStateValue,
  formatStateKey,
  isWholeState,
  keyFilter,
  parseStateKey,
  parseStateRecord,
  positionsToJson,
} from '../../state/index.ts';

/** All that a hippo remembers, as of one consistent point. */
export interface StoredState {
  /** Of the machine: without the hippo's offsets and owner. */
  records: Map<string, StateValue>;
  /** The input positions that the records reflect. */
  positions: Positions;
  /** The client that owned before this takeover; null on the first start. */
  previous: string | null;
  /** Its {@link OwnerRecord.epoch}. */
  epoch?: string | undefined;
}

/** What the state topic has of a hippo. */
export type FoundState =
  | { kind: 'whole'; stored: StoredState }
  /** No partition has any. */
  | { kind: 'none' }
  /** A partition has records of it, but not all that a state has: see {@link isWholeState}. */
  | { kind: 'incomplete'; partition: number; records: number; rest: Rest };

/** What there is of a state that is not whole: all that was written last. */
export interface Rest {
  records: ReadonlyMap<string, StateValue>;
  /** The keys whose records were deleted. */
  removed: ReadonlySet<string>;
  /** null: it has none. */
  positions: Positions | null;
}

/** A state as a client has it in memory. */
export interface Held {
  records: Iterable<readonly [key: string, value: StateValue]>;
  positions: Positions;
}

export interface FindOptions {
  signal: AbortSignal;
  /** Called when the search has to wait for another program, with the reason. */
  onWait: (reason: string) => void;
}

/** What one partition has of the hippo. */
interface Part {
  partition: number;
  stored: StoredState;
  removed: Set<string>;
  /** null: of a form that cannot be read. */
  owner?: OwnerRecord | null;
  hasOffsets: boolean;
}

/** A transaction's records go to a partition in one batch, which brokers limit to 1 MB. */
const WRITE_BYTES = 256 * 1024;

/** Who owns the state from now on. */
export interface Claimant {
  /** Names the process for as long as it lives. */
  client: string;
  /** The jobs of its hippo.yaml, each with its `every`; left out: the writer is no client. */
  jobs?: OwnerRecord['jobs'];
  epoch?: OwnerRecord['epoch'];
}

/** A search that takes longer, milliseconds, says why. */
const PATIENCE = 5_000;

/** The hippo's part of the compacted state topic: one partition, so that its order is total. */
export class StateTopic {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #hippo: string;
  /** Of the keys of other hippos nothing is decoded: most records of a partition are theirs. */
  readonly #isOwn: (key: Uint8Array) => boolean;
  readonly #partitions: readonly number[];
  #partition: number;
  #probed: readonly number[] = [];

  private constructor(kafka: Kafka, topic: string, hippo: string, partitions: number) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#hippo = hippo;
    this.#isOwn = keyFilter(hippo);
    this.#partitions = Array.from({ length: partitions }, (_, partition) => partition);
    this.#partition = partitionForKey(hippo, partitions);
  }

  /**
   * Its partition is the one in which a first start puts the state.
   *
   * @param partitions how many the topic has
   */
  static of(kafka: Kafka, topic: string, hippo: string, partitions: number): StateTopic {
    return new StateTopic(kafka, topic, hippo, partitions);
  }

  record(key: string, value: StateValue | null): OutgoingRecord {
    return this.#recordIn(this.#partition, key, value);
  }

  offsets(positions: Positions): OutgoingRecord {
    return this.record(formatStateKey({ kind: 'offsets', hippo: this.#hippo }), positionsToJson(positions));
  }

  /**
   * Says who owns the state from now on.
   */
  owner({ client, jobs, epoch }: Claimant): OutgoingRecord {
    const owner: OwnerRecord = {
      client,
      token: randomUUID(),
      host: hostname(),
      pid: process.pid,
      since: new Date().toISOString(),
      ...(jobs === undefined ? {} : { jobs }),
      ...(epoch === undefined ? {} : { epoch }),
    };
    return this.record(formatStateKey({ kind: 'owner', hippo: this.#hippo }), owner as unknown as Json);
  }

  /**
   * Finds the hippo's state: in the partition that its name gives for the topic's number of partitions or, where that has
   * none, in whichever has it; from then on this object writes there. Writes a probe to the partitions in one transaction,
   * and reads each up to it: what any earlier owner committed stands before it, whatever the broker says about ends while
   * transactions of others are open; what an earlier owner had begun and not committed was ended when its transactional
   * id was taken. Changes no state: {@link claim} does.
   *
   * @param producer the hippo's own, just made: it fences the owner before
   * @throws ServiceError when Kafka is not there; aborted when the signal is
   */
  async find(producer: TransactionalProducer, options: FindOptions): Promise<FoundState> {
    const home = [this.#partition];
    let parts = await this.#read(producer, home, options);
    const others = this.#partitions.filter((partition) => !home.includes(partition));
    if (!parts.some(isWhole) && others.length > 0)
      parts = [...parts, ...(await this.#read(producer, others, options))];
    this.#probed = parts.map(({ partition }) => partition);
    const [found] = parts.filter(isWhole).sort(byOwner);
    if (found !== undefined) {
      this.#partition = found.partition;
      return { kind: 'whole', stored: found.stored };
    }
    const rest = parts.find((part) => sizeOf(part) > 0);
    return rest === undefined
      ? { kind: 'none' }
      : { kind: 'incomplete', partition: rest.partition, records: sizeOf(rest), rest: restOf(rest) };
  }

  /**
   * Writes who owns the state from now on ({@link owner}), and takes the probes of {@link find} back.
   *
   * @param more records that belong to it
   */
  async claim(
    producer: TransactionalProducer,
    claimant: Claimant,
    more: readonly OutgoingRecord[] = [],
  ): Promise<void> {
    await producer.write([
      ...this.#probed.map((partition) => this.#recordIn(partition, this.#probeKey, null)),
      ...more,
      this.owner(claimant),
    ]);
  }

  /**
   * Writes the whole state again, where {@link find} did not find it, from the memory of the client that has owned the hippo
   * without a break. What the topic has of it was written by that client, too, and is the same as in its memory, or newer if
   * the outcome of the last write is unknown. Until the last transaction is written, the topic has no whole state.
   *
   * @returns what the topic has then
   */
  async writeAnew(
    producer: TransactionalProducer,
    claimant: Claimant,
    found: Exclude<FoundState, { kind: 'whole' }>,
    held: Held,
  ): Promise<StoredState> {
    const rest: Rest = found.kind === 'none' ? NO_REST : found.rest;
    if (found.kind === 'incomplete') this.#partition = found.partition;
    const missing = new Map(held.records);
    for (const key of [...rest.removed, ...rest.records.keys()]) missing.delete(key);
    let batch: OutgoingRecord[] = [];
    let bytes = 0;
    for (const [key, value] of missing) {
      const record = this.record(key, value);
      batch.push(record);
      bytes += key.length + (record.value?.length ?? 0);
      if (bytes < WRITE_BYTES) continue;
      await producer.write(batch);
      batch = [];
      bytes = 0;
    }
    await producer.write(batch);
    const positions = rest.positions ?? held.positions;
    await this.claim(producer, claimant, [this.offsets(positions)]);
    return { records: new Map([...missing, ...rest.records]), positions, previous: claimant.client };
  }

  get #probeKey(): string {
    return formatStateKey({ kind: 'probe', hippo: this.#hippo });
  }

  #recordIn(partition: number, key: string, value: StateValue | null): OutgoingRecord {
    return {
      topic: this.#topic,
      partition,
      key,
      value: encoded(value),
    };
  }

  async #read(
    producer: TransactionalProducer,
    partitions: readonly number[],
    { signal, onWait }: FindOptions,
  ): Promise<Part[]> {
    const probe = randomUUID();
    await producer.write(partitions.map((partition) => this.#recordIn(partition, this.#probeKey, { probe })));
    const parts = new Map(partitions.map((partition) => [partition, emptyPart(partition)]));
    const unread = new Set(partitions);
    const lows = new Map(
      (await this.#kafka.offsets(this.#topic)).map(({ partition, low }) => [partition, low]),
    );
    const from = partitions.map((partition) => ({
      topic: this.#topic,
      partition,
      offset: lows.get(partition) ?? 0n,
    }));
    const reader = await this.#kafka.reader({ from, maxWait: 100, patience: 10_000 });
    const close = (): void => void reader.close();
    signal.addEventListener('abort', close);
    // It may have been aborted while the probe was written.
    if (signal.aborted) close();
    const waiting = setTimeout(() => void this.#tellOfTransaction(unread, onWait), PATIENCE);
    try {
      for await (const { partition, records, jumped } of reader) {
        // It was made again since the probe was written, so the probe is not in it.
        if (jumped !== undefined && jumped.cause !== 'removed') break;
        const part = parts.get(partition);
        if (part === undefined || !unread.has(partition)) continue;
        if (records.some((record) => this.#take(record, part) === probe)) unread.delete(partition);
        if (unread.size === 0) return [...parts.values()];
      }
    } finally {
      clearTimeout(waiting);
      signal.removeEventListener('abort', close);
      await reader.close();
    }
    signal.throwIfAborted();
    throw new ServiceError(`the state topic ${this.#topic} ended before our own record in it`, {
      why: `partition ${[...unread].join(', ')} was read from its beginning, and the record ${this.#probeKey} just written was not there: the topic was made again, or cut off, meanwhile`,
      next: ['hippo doctor'],
    });
  }

  /** An open transaction hides all records after its beginning, also our probe. */
  async #tellOfTransaction(unread: ReadonlySet<number>, onWait: (reason: string) => void): Promise<void> {
    const ranges = await this.#kafka.offsets(this.#topic).catch(() => []);
    const held = ranges.find(({ partition, stable, high }) => unread.has(partition) && stable < high);
    if (held === undefined) return;
    const place = { topic: this.#topic, partition: held.partition, offset: held.stable };
    const [transaction] = await this.#kafka.openTransactions([place]).catch(() => []);
    const known = transaction ?? {
      ...place,
      since: null,
      endsBy: null,
      transactionalId: null,
      producerId: null,
    };
    onWait(`waiting to read ${describeHoldUp(known)}`);
  }

  /** @returns the token of a probe; undefined for all other records */
  #take({ key: bytes, value: encoded }: KafkaRecord, part: Part): Json | undefined {
    if (bytes === null || !this.#isOwn(bytes)) return undefined;
    const text = bytes.toString();
    const key = parseStateKey(text);
    if (key === undefined) return undefined;
    const value = decodeStateValue(key, encoded);
    const { stored } = part;
    switch (key.kind) {
      case 'probe':
        return isProbe(value) ? value['probe'] : undefined;
      case 'owner': {
        const record = parseStateRecord(key, value);
        if (encoded === null) delete part.owner;
        else part.owner = record?.kind === 'owner' ? record.owner : null;
        stored.previous = part.owner?.client ?? null;
        stored.epoch = part.owner?.epoch;
        return undefined;
      }
      case 'offsets': {
        const record = parseStateRecord(key, value);
        stored.positions = record?.kind === 'offsets' ? record.positions : new Map();
        part.hasOffsets = encoded !== null;
        return undefined;
      }
      default:
        if (value === null) {
          stored.records.delete(text);
          part.removed.add(text);
        } else {
          stored.records.set(text, value);
          part.removed.delete(text);
        }
        return undefined;
    }
  }
}

function encoded(value: StateValue | null): string | Buffer | null {
  if (value === null) return null;
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : JSON.stringify(value);
}

function isProbe(value: StateValue): value is JsonObject {
  return !(value instanceof Uint8Array) && isJsonObject(value);
}

function emptyPart(partition: number): Part {
  return {
    partition,
    stored: { records: new Map(), positions: new Map(), previous: null },
    removed: new Set(),
    hasOffsets: false,
  };
}

const NO_REST: Rest = { records: new Map(), removed: new Set(), positions: null };

function restOf({ stored: { records, positions }, removed, hasOffsets }: Part): Rest {
  return { records, removed, positions: hasOffsets ? positions : null };
}

function isWhole({ owner, hasOffsets }: Part): boolean {
  return isWholeState({ owner: owner !== undefined, offsets: hasOffsets });
}

/** An owner that has written no transaction yet has only its owner record in the topic; that alone is not a state. */
function sizeOf({ stored, hasOffsets }: Part): number {
  return stored.records.size + (hasOffsets ? 1 : 0);
}

/** The newest first. */
function byOwner(one: Part, other: Part): number {
  return (other.owner?.since ?? '').localeCompare(one.owner?.since ?? '');
}

import { HippoError, UserError } from '../core/errors.ts';
import type { Cluster } from './cluster.ts';
import { Retry } from '../core/deadline.ts';
import { absentTopic, errorType, isConnectionError, isRetriable, leaderless } from './errors.ts';
import { DeniedError } from './failures.ts';
import { LackedRight, lacking } from './lacking.ts';
import { ELECTION_MS, lowOffset } from './offsets.ts';
import type {
  Jump,
  KafkaRecord,
  TopicPartitionOffset,
  Reader,
  ReaderOptions,
  RecordBatch,
  Trouble,
} from './port.ts';
import { onTopic } from './rights.ts';
import {
  type Batch,
  BatchRecords,
  type Broker,
  Fetch,
  type FetchedPartition,
  ProtocolError,
  batchAt,
  debug,
  errorOf,
  failOn,
  hasMoved,
  isAbortMarker,
  isControl,
  isTransactional,
} from './wire/index.ts';

const MIB = 1024 * 1024;
/** Of one partition in one fetch, and of one fetch: enough to hide the round trip, little enough to stay flat in memory. */
const PARTITION_BYTES = MIB / 2;
const FETCH_BYTES = 4 * MIB;
/** A broker is asked for more while less than this waits to be read. */
const QUEUE_BYTES = 4 * MIB;
/** A batch is handed out when it holds about this much: few objects live at a time, and memory stays flat. */
const BATCH_BYTES = 16 * 1024;

/** How long a topic may be unknown to the brokers before it counts as deleted: metadata takes a while to get around. */
const UNKNOWN_TOPIC_MS = 10_000;
/** How long a partition rests that has no leader, that this user may not read, or whose topic is gone, before it is tried again. */
const REST_MS = { leaderless: 1_000, denied: 5_000, absent: 250 };
/** What may pass by itself is told after this time. */
const PASSES_MS = { leaderless: ELECTION_MS, denied: 0, absent: UNKNOWN_TOPIC_MS };
const SHORTEST_REST_MS = 100;

interface PartitionState {
  topic: string;
  /** Of the topic that is read; undefined until its leader is found. */
  topicId: string | undefined;
  partition: number;
  /** What has been handed out: the next offset after it. */
  position: bigint;
  /** What has been fetched: the next offset to ask for. */
  ahead: bigint;
  until: bigint | undefined;
  done: boolean;
  unknownSince: number | undefined;
  /** It cannot be read for now, while others can. */
  aside: Aside | undefined;
}

interface Aside {
  lack: keyof typeof REST_MS;
  /** By performance.now(). */
  since: number;
  nextTry: number;
  isTold: boolean;
}

/** What one fetch brought for one partition, not yet decoded. */
interface Chunk {
  state: PartitionState;
  /** As it was when this was fetched. */
  topicId: string;
  broker: Broker;
  bytes: Buffer;
  at: number;
  /** The batch before `at`, while it is not read to its end. */
  open: BatchRecords | undefined;
  end: bigint;
  /** Sorted by first offset; those that have begun are taken out. */
  aborted: FetchedPartition['aborted'];
  /** Of the producers whose transaction is in the middle of being aborted at `at`. */
  aborting: Set<bigint>;
  /** Instead of bytes: the position was not in the log. */
  jumped?: Jump;
}

/**
 * Reads partitions straight from their leaders. Fetches run ahead of the reading, one at a time per leader; a change of leaders, a
 * restart of brokers, a trimmed log and a topic that is made again are survived.
 */
export class GrouplessReader implements Reader {
  readonly #cluster: Cluster;
  readonly #options: ReaderOptions;
  #states: PartitionState[] = [];
  /** Ids of topics that were made again since. A broker that does not know that yet still names them. */
  readonly #formerIds = new Set<string>();
  readonly #queue: Chunk[] = [];
  readonly #queued = new Map<Broker, number>();
  readonly #busy = new Set<Broker>();
  #assigning = false;
  #leaders: Map<Broker, PartitionState[]> | undefined;
  #failure: Error | undefined;
  #closed = false;
  #awaySince: number | undefined;
  readonly #retry = new Retry({ first: 50, most: 1_000 });
  #wake: (() => void) | undefined;
  #turn = 0;
  #nextTry: NodeJS.Timeout | undefined;

  constructor(cluster: Cluster, options: ReaderOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const until = new Map(
      options.until?.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]),
    );
    this.#add(options.from, until);
  }

  add(from: readonly TopicPartitionOffset[]): void {
    this.#add(from, new Map());
    this.#leaders = undefined;
    this.#wake?.();
  }

  /** @param until by `topic partition` */
  #add(from: readonly TopicPartitionOffset[], until: ReadonlyMap<string, bigint>): void {
    for (const { topic, topicId, partition, offset } of from) {
      if (this.#states.some((known) => known.topic === topic && known.partition === partition)) continue;
      const end = until.get(`${topic} ${partition}`);
      this.#states.push({
        topic,
        topicId,
        partition,
        position: offset,
        ahead: offset,
        until: end,
        done: end !== undefined && offset >= end,
        unknownSince: undefined,
        aside: undefined,
      });
    }
  }

  positions(): TopicPartitionOffset[] {
    return this.#states.map(({ topic, topicId, partition, position }) => ({
      topic,
      ...(topicId === undefined ? {} : { topicId }),
      partition,
      offset: position,
    }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#nextTry);
    this.#queue.length = 0;
    this.#wake?.();
    await this.#cluster.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, void> {
    try {
      for (;;) {
        this.#fetchMore();
        const chunk = this.#queue[0];
        if (chunk !== undefined) {
          const batch = this.#take(chunk);
          if (batch !== undefined) yield batch;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#closed || this.#states.every(({ done }) => done)) {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = undefined;
        }
      }
    } finally {
      await this.close();
    }
  }

  /** Decodes the next part of a chunk. */
  #take(chunk: Chunk): RecordBatch | undefined {
    const { state } = chunk;
    const records: KafkaRecord[] = [];
    const before = state.position;
    for (let budget = BATCH_BYTES; budget > 0 && !state.done;) {
      chunk.open ??= this.#openNext(chunk);
      if (chunk.open === undefined) break;
      budget -= chunk.open.read(records, budget);
      this.#advance(state, BigInt(chunk.open.next));
      if (chunk.open.done) chunk.open = undefined;
    }
    if (state.done || (chunk.open === undefined && chunk.at >= chunk.bytes.length)) {
      this.#queue.shift();
      this.#queued.set(chunk.broker, (this.#queued.get(chunk.broker) ?? 0) - chunk.bytes.length);
    }
    const { jumped } = chunk;
    if (jumped !== undefined) {
      this.#advance(state, jumped.to);
      // The records up to `until` are not in this log: waiting for its end to get there could take for ever.
      if (jumped.cause !== 'removed' && state.until !== undefined) state.done = true;
    }
    if (state.position === before && jumped === undefined) return undefined;
    return {
      topic: state.topic,
      topicId: chunk.topicId,
      partition: state.partition,
      records,
      next: state.position,
      end: chunk.end,
      ...(jumped === undefined ? {} : { jumped }),
    };
  }

  /** The next batch with records that are to be seen; goes past all others. */
  #openNext(chunk: Chunk): BatchRecords | undefined {
    const { state, topicId, bytes } = chunk;
    const { topic, partition, until } = state;
    while (!state.done) {
      const batch = batchAt(bytes, chunk.at);
      chunk.at = batch?.end ?? bytes.length;
      if (batch === undefined) return undefined;
      const from = Number(state.position);
      if (batch.lastOffset < from) continue;
      if (this.#isVisible(chunk, batch)) {
        return new BatchRecords(bytes, batch, {
          topic,
          topicId,
          partition,
          from,
          until: until === undefined ? Number.MAX_SAFE_INTEGER : Number(until),
        });
      }
      this.#advance(state, BigInt(batch.lastOffset) + 1n);
    }
    return undefined;
  }

  #advance(state: PartitionState, next: bigint): void {
    state.position = state.until !== undefined && next > state.until ? state.until : next;
    if (state.until !== undefined && state.position >= state.until) state.done = true;
  }

  /** Control records are Kafka's own; records of aborted transactions never happened. As Java's CompletedFetch decides it. */
  #isVisible({ aborted, aborting, bytes }: Chunk, batch: Batch): boolean {
    for (
      let first = aborted[0];
      first !== undefined && first.firstOffset <= BigInt(batch.lastOffset);
      first = aborted[0]
    ) {
      aborting.add(first.producerId);
      aborted.shift();
    }
    if (isControl(batch)) {
      if (isAbortMarker(bytes, batch)) aborting.delete(batch.producerId);
      return false;
    }
    return !(isTransactional(batch) && aborting.has(batch.producerId));
  }

  /** Starts a fetch at each leader that has none under way and little waiting. */
  #fetchMore(): void {
    if (this.#closed || this.#failure !== undefined) return;
    if (this.#leaders === undefined) {
      if (!this.#assigning) void this.#assign();
      return;
    }
    for (const [broker, states] of this.#leaders) {
      if (this.#busy.has(broker) || (this.#queued.get(broker) ?? 0) >= QUEUE_BYTES) continue;
      const wanted = states.filter(({ ahead, until }) => until === undefined || ahead < until);
      if (wanted.length > 0) void this.#fetch(broker, wanted);
    }
  }

  /** Finds the leader of each partition. */
  async #assign(): Promise<void> {
    this.#assigning = true;
    try {
      const leaders = new Map<Broker, PartitionState[]>();
      /** By topic: the others of its partitions need not be asked about. */
      const gone = new Map<string, unknown>();
      for (const state of this.#states) {
        if (state.done || performance.now() < (state.aside?.nextTry ?? 0)) continue;
        try {
          if (gone.has(state.topic)) throw gone.get(state.topic);
          const leader = await this.#leaderOf(state);
          if (leader !== undefined) leaders.set(leader, [...(leaders.get(leader) ?? []), state]);
        } catch (error) {
          if (!this.#setAside(state, error)) throw error;
          if (state.aside?.lack === 'absent') gone.set(state.topic, error);
        }
      }
      this.#tellRipe();
      this.#tryLater();
      this.#leaders = leaders;
    } catch (error) {
      await this.#survive(error);
    } finally {
      this.#assigning = false;
      this.#wake?.();
    }
  }

  /** @returns undefined for a partition that the topic does not have since it was made again */
  async #leaderOf(state: PartitionState): Promise<Broker | undefined> {
    const { topic, partition } = state;
    let leader: Broker | undefined;
    let absent: UserError | undefined;
    try {
      leader = await this.#cluster.leader(topic, partition);
    } catch (error) {
      if (!(error instanceof UserError) || errorType(error.cause) !== 'UNKNOWN_TOPIC_OR_PARTITION')
        throw error;
      absent = error;
    }
    const topicId = this.#cluster.topicId(topic);
    if (topicId !== undefined && state.topicId !== undefined && topicId !== state.topicId)
      await this.#beginAnew(topic, topicId);
    else if (absent !== undefined) throw this.#mayComeBack(state, absent);
    state.topicId ??= topicId;
    return leader;
  }

  /** The topic of that name is another one now: all its partitions are read from their beginning, after what was fetched before. */
  async #beginAnew(topic: string, topicId: string): Promise<void> {
    if (this.#formerIds.has(topicId)) {
      this.#cluster.forgetLeaders([topic]);
      throw new ProtocolError('UNKNOWN_TOPIC_ID');
    }
    debug('a topic was made again', { topic, topicId });
    const present = new Set(await this.#cluster.partitions(topic));
    this.#states = this.#states.filter((state) => state.topic !== topic || present.has(state.partition));
    const beginnings: { state: PartitionState; former: string; broker: Broker; low: bigint }[] = [];
    for (const state of this.#states) {
      if (state.topic !== topic || state.topicId === undefined || state.topicId === topicId) continue;
      const broker = await this.#cluster.leader(topic, state.partition);
      const low = await lowOffset(this.#cluster, broker, state);
      beginnings.push({ state, former: state.topicId, broker, low });
    }
    // At once, so that nothing of the topic before comes after its first record.
    for (const { state, former, broker, low } of beginnings) {
      this.#formerIds.add(former);
      state.topicId = topicId;
      state.unknownSince = undefined;
      this.#jumpTo(state, broker, { from: state.ahead, to: low, cause: 'made-again' });
    }
  }

  async #fetch(broker: Broker, states: PartitionState[]): Promise<void> {
    this.#busy.add(broker);
    try {
      // A fetch that is full leaves out the last ones: each takes its turn to be first.
      const turn = this.#turn++ % states.length;
      const asked = [...states.slice(turn), ...states.slice(0, turn)].map((state) => ({
        state,
        topicId: state.topicId ?? '',
        partition: state.partition,
        offset: state.ahead,
      }));
      const answer = await this.#cluster.send(broker, Fetch, {
        maxWait: this.#options.maxWait ?? 500,
        maxBytes: FETCH_BYTES,
        maxBytesPerPartition: PARTITION_BYTES,
        readCommitted: this.#options.readCommitted ?? true,
        partitions: asked,
      });
      if (this.#closed) return;
      failOn(answer.errorCode);
      for (const fetched of answer.partitions) {
        const { topicId, partition } = fetched;
        const found = asked.find((each) => each.topicId === topicId && each.partition === partition);
        // Another leader may have been asked in the meantime, or the topic made again: then this answer is out of date.
        if (found !== undefined && found.state.topicId === topicId && found.state.ahead === found.offset)
          await this.#receive(broker, found.state, fetched);
      }
      this.#awaySince = undefined;
      this.#retry.reset();
    } catch (error) {
      this.#leaders = undefined;
      await this.#survive(error);
    } finally {
      this.#busy.delete(broker);
      this.#wake?.();
    }
  }

  async #receive(broker: Broker, state: PartitionState, fetched: FetchedPartition): Promise<void> {
    const error = errorOf(fetched.errorCode);
    if (error?.type === 'OFFSET_OUT_OF_RANGE') {
      const asked = state.ahead;
      const to = await lowOffset(this.#cluster, broker, state);
      // Meanwhile the topic may have been made again, or another leader may have sent what comes next.
      if (state.topicId !== fetched.topicId || state.ahead !== asked) return;
      this.#jumpTo(state, broker, { from: state.ahead, to, cause: state.ahead < to ? 'removed' : 'shorter' });
      return;
    }
    if (error !== undefined) {
      const lacked = lacking(error, onTopic('Read', state.topic));
      if (!this.#setAside(state, lacked)) throw this.#refused(state, lacked);
      if (state.aside?.lack === 'absent') this.#cluster.forgetLeaders([state.topic]);
      this.#leaders = undefined;
      return;
    }
    state.unknownSince = undefined;
    this.#isBack(state);
    const next = endOf(fetched.bytes);
    if (next === undefined) return;
    state.ahead = next > state.ahead ? next : state.ahead;
    const { topicId, bytes, aborted, lastStableOffset, highWatermark } = fetched;
    const end = (this.#options.readCommitted ?? true) ? lastStableOffset : highWatermark;
    this.#queue.push({
      state,
      topicId,
      broker,
      bytes,
      at: 0,
      open: undefined,
      end,
      aborted: sorted(aborted),
      aborting: new Set(),
    });
    this.#queued.set(broker, (this.#queued.get(broker) ?? 0) + bytes.length);
    this.#wake?.();
  }

  /** @returns whether the others can be read without this partition, as somebody is told of it */
  #setAside(state: PartitionState, error: unknown): boolean {
    if (this.#options.onTrouble === undefined) return false;
    const lack = this.#lackOf(error);
    if (lack === undefined) return false;
    const now = performance.now();
    if (state.aside?.lack !== lack) state.aside = { lack, since: now, nextTry: 0, isTold: false };
    state.aside.nextTry = now + REST_MS[lack];
    if (error instanceof LackedRight && !state.aside.isTold) this.#tellDenied(state.topic, error);
    return true;
  }

  #lackOf(error: unknown): Aside['lack'] | undefined {
    if (error instanceof LackedRight) return 'denied';
    const type = errorType(error instanceof UserError ? error.cause : error);
    if (type === 'LEADER_NOT_AVAILABLE') return 'leaderless';
    const isGone = type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'UNKNOWN_TOPIC_ID';
    return isGone && this.#options.awaitTopics === true ? 'absent' : undefined;
  }

  /** The partitions that rest are tried again when their time has come. */
  #tryLater(): void {
    const tries = this.#states.flatMap(({ aside, done }) =>
      aside === undefined || done ? [] : [aside.nextTry],
    );
    clearTimeout(this.#nextTry);
    if (tries.length === 0 || this.#closed) return;
    const again = (): void => {
      this.#leaders = undefined;
      this.#wake?.();
    };
    this.#nextTry = setTimeout(again, Math.max(Math.min(...tries) - performance.now(), SHORTEST_REST_MS));
  }

  /** What does not pass by itself is told, once for all partitions of a topic that lack the same. */
  #tellRipe(): void {
    const now = performance.now();
    const untold = this.#states.filter(
      ({ aside }) => aside?.isTold === false && now - aside.since > PASSES_MS[aside.lack],
    );
    const { brokers } = this.#cluster;
    for (const [topic, states] of Map.groupBy(untold, (state) => state.topic)) {
      const absent = states.filter(({ aside }) => aside?.lack === 'absent');
      // When it is made again, it may have fewer partitions.
      if (absent.length > 0) this.#tell(absent, absentTopic(topic, brokers), [{ topic }]);
      const without = states.filter(({ aside }) => aside?.lack === 'leaderless');
      const partitions = without.map(({ partition }) => partition);
      if (without.length > 0) this.#tell(without, leaderless(topic, partitions, brokers));
    }
  }

  /** A right is missing for a whole topic. */
  #tellDenied(topic: string, lacked: LackedRight): void {
    const states = this.#states.filter((state) => state.topic === topic && !state.done);
    for (const state of states)
      state.aside ??= {
        lack: 'denied',
        since: performance.now(),
        nextTry: performance.now() + REST_MS.denied,
        isTold: false,
      };
    const error = this.#cluster.translate(lacked, { topic });
    if (error instanceof DeniedError) this.#tell(states, error);
  }

  #tell(
    states: readonly PartitionState[],
    error: Trouble['error'],
    places: Trouble['places'] = states.map(({ topic, partition }) => ({ topic, partition })),
  ): void {
    for (const state of states) {
      if (state.aside !== undefined) state.aside.isTold = true;
      // What has an end is given up; what has none is read on when it is back.
      if (error !== null && state.until !== undefined) state.done = true;
    }
    this.#options.onTrouble?.({ places, error });
  }

  /** Of a topic all partitions that were told come back together, mostly: each is told when it does. */
  #isBack(state: PartitionState): void {
    const { aside } = state;
    state.aside = undefined;
    if (aside?.isTold === true) this.#tell([state], null);
  }

  /** The wanted offset is not in the log (any more): goes on at its start. */
  #jumpTo(state: PartitionState, broker: Broker, jumped: Jump): void {
    debug('a position is not in the log', { topic: state.topic, partition: state.partition });
    state.ahead = jumped.to;
    this.#queue.push({
      state,
      topicId: state.topicId ?? '',
      broker,
      bytes: Buffer.alloc(0),
      at: 0,
      open: undefined,
      end: jumped.to,
      aborted: [],
      aborting: new Set(),
      jumped,
    });
  }

  /** @returns what to throw: the error itself where another fetch may succeed */
  #refused(state: PartitionState, error: ProtocolError): Error {
    const { topic } = state;
    if (!hasMoved(error.type)) return this.#cluster.translate(error, { topic });
    this.#cluster.forgetLeaders([topic]);
    return error.type === 'UNKNOWN_TOPIC_OR_PARTITION'
      ? this.#mayComeBack(state, this.#cluster.translate(error, { topic }))
      : error;
  }

  /**
   * A topic that was there may be about to be made again, and metadata takes a while to get around.
   *
   * @param absent what says that the topic, or the partition, is not there
   * @returns what to throw: a passing error while another try may succeed
   */
  #mayComeBack(state: PartitionState, absent: Error): Error {
    if (state.topicId === undefined && this.#cluster.topicId(state.topic) === undefined) return absent;
    state.unknownSince ??= performance.now();
    return performance.now() - state.unknownSince > UNKNOWN_TOPIC_MS
      ? absent
      : new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION');
  }

  /** Waits a little after what may pass; keeps anything else for the iterator to throw. */
  async #survive(error: unknown): Promise<void> {
    if (this.#closed) return;
    // Closed with all of its kafka, as by a command that has failed elsewhere: nothing comes back.
    if (this.#cluster.isClosed) {
      this.#failure = this.#cluster.translate(error);
      return;
    }
    const passing = isConnectionError(error) || (isRetriable(error) && !(error instanceof HippoError));
    if (!passing) {
      this.#failure = this.#cluster.translate(error);
      return;
    }
    this.#awaySince ??= Date.now();
    const { patience } = this.#options;
    if (patience !== undefined && Date.now() - this.#awaySince >= patience) {
      this.#failure = this.#cluster.translate(error);
      return;
    }
    debug('reading goes on soon', { error: String(error) });
    await this.#retry.pause();
  }
}

function sorted(aborted: FetchedPartition['aborted']): FetchedPartition['aborted'] {
  return aborted.sort((a, b) => Number(a.firstOffset - b.firstOffset));
}

/** The offset after the last whole batch. */
function endOf(bytes: Buffer): bigint | undefined {
  let last: Batch | undefined;
  for (let at = 0; ;) {
    const batch = batchAt(bytes, at);
    if (batch === undefined) break;
    last = batch;
    at = batch.end;
  }
  return last === undefined ? undefined : BigInt(last.lastOffset) + 1n;
}

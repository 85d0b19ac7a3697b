import type {
  Jump,
  Kafka,
  KafkaRecord,
  TopicPartitionOffset,
  Reader,
  ReaderOptions,
  RecordBatch,
  TopicPartition,
  Trouble,
} from '../kafka/port.ts';
import { type Span, resolveSpan } from './positions.ts';

export interface ReadTopicsRequest {
  /** Names of topics that exist. */
  topics: readonly string[];
  /** Left out: all of them. */
  partitions?: readonly number[] | undefined;
  span: Span;
  /** So many in all, merged by time, instead of everything from `span.from`. */
  last?: number | undefined;
  /** Stop after so many that were kept. */
  max?: number | undefined;
  /** Stop at the end as it was at the start, by position. */
  exitAtEnd: boolean;
  /** Of the topics that exist those that are wanted: what comes up while it follows is read too. Left out: `topics`. */
  choose?: ((existing: readonly string[]) => readonly string[]) | undefined;
}

/** The functions that receive the records. */
export interface RecordConsumer {
  /** Whether a record is wanted; left out: all are. */
  keep?: ((record: KafkaRecord) => boolean) | undefined;
  take(record: KafkaRecord): void;
  /** Awaited between batches: backpressure. */
  ready?(): Promise<void>;
  /** The log lost what was to be read next; reading went on elsewhere. */
  gap?: ((gap: Gap) => void) | undefined;
  /**
   * Told of partitions that cannot be read, for want of a right or a leader, while the others are read; and when they can be
   * read again. Left out: the reading throws.
   */
  trouble?: ((trouble: Trouble) => void) | undefined;
}

/** Where the position in a partition was not in its log. */
export type Gap = TopicPartition & Jump;

export interface ReadTopicsSummary {
  topics: string[];
  /** How many records were kept. */
  records: number;
  stopped: 'end' | 'max' | 'interrupted';
}

/** How often new topics and new partitions are looked for, milliseconds. */
const LOOK = { chosen: 10_000, named: 60_000 };
/** How long the brokers may be away (a restart) before reading fails, milliseconds. */
const PATIENCE = 30_000;
/** Up to this much of the past is given in the order of time, over all partitions; beyond it, as it is read. */
const MERGED = { records: 10_000, bytes: 32 * 1024 * 1024 };

/**
 * Reads topics without a consumer group and hands each wanted record to `consumer`, within a partition in the order
 * of offsets. Ends by position, so that gaps of compaction and of transaction markers never keep it waiting.
 *
 * @throws ServiceError when no broker can be reached
 */
export async function readTopics(
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt' | 'reader'>,
  request: ReadTopicsRequest,
  consumer: RecordConsumer,
  signal: AbortSignal,
): Promise<ReadTopicsSummary> {
  const summary: ReadTopicsSummary = { topics: [...request.topics], records: 0, stopped: 'end' };
  const limit = request.max ?? Infinity;
  if (limit === 0) return { ...summary, stopped: 'max' };
  const leftOut = new LeftOut(consumer.trouble);
  const choice = { only: request.partitions, onTrouble: leftOut.onTrouble };
  const { from, until, ends } = await resolveSpan(kafka, request.topics, request.span, choice);
  const stops = until ?? (request.exitAtEnd ? ends : undefined);
  let starts = from;

  const past = pastOf(from, stops, ends);
  const merged = await readMerged({ kafka, consumer, signal }, past, request.last);
  if (merged !== undefined) {
    for (const record of merged.slice(0, limit)) consumer.take(record);
    summary.records = Math.min(merged.length, limit);
    await consumer.ready?.();
    starts = past.map(({ to, ...place }) => ({ ...place, offset: to }));
  }

  const open = stops === undefined ? starts : starts.filter((start) => start.offset < offsetIn(stops, start));
  if (summary.records < limit && open.length > 0) {
    const reader = await kafka.reader({
      from: open,
      patience: PATIENCE,
      ...(stops === undefined ? {} : { until: stops }),
      ...troubleOf(consumer),
    });
    const { keep } = consumer;
    const looking =
      stops === undefined
        ? setInterval(
            () => void addNew(kafka, request, { reader, summary, leftOut }),
            request.choose === undefined && leftOut.isEmpty ? LOOK.named : LOOK.chosen,
          )
        : undefined;
    try {
      await consume(reader, consumer, signal, async ({ records }) => {
        for (const record of records) {
          if (keep !== undefined && !keep(record)) continue;
          consumer.take(record);
          if (++summary.records >= limit) return 'enough';
        }
        await consumer.ready?.();
        return 'more';
      });
    } finally {
      clearInterval(looking);
    }
  }
  if (summary.records >= limit) return { ...summary, stopped: 'max' };
  return { ...summary, stopped: signal.aborted ? 'interrupted' : 'end' };
}

function troubleOf({ trouble }: RecordConsumer): Pick<ReaderOptions, 'onTrouble'> {
  return trouble === undefined ? {} : { onTrouble: trouble };
}

/** Topics of which something could not be read at the start. */
class LeftOut {
  readonly #trouble: RecordConsumer['trouble'];
  readonly #topics = new Set<string>();

  constructor(trouble: RecordConsumer['trouble']) {
    this.#trouble = trouble;
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** undefined: no one asks for it, so the reading fails. */
  get onTrouble(): ((trouble: Trouble) => void) | undefined {
    const report = this.#trouble;
    if (report === undefined) return undefined;
    return (trouble) => {
      for (const { topic } of trouble.places) this.#topics.add(topic);
      report(trouble);
    };
  }

  /** They can be read now. */
  back(places: readonly TopicPartition[]): void {
    this.#trouble?.({ places, error: null });
  }
}

interface Following {
  reader: Reader;
  summary: ReadTopicsSummary;
  leftOut: LeftOut;
}

/**
 * Adds the topics and partitions that are new to the reader, from their beginning; those that could not be read at the start,
 * from where they were to be read.
 */
async function addNew(
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt'>,
  { topics, partitions: only, choose, span }: ReadTopicsRequest,
  { reader, summary, leftOut }: Following,
): Promise<void> {
  try {
    const existing = await kafka.topics();
    const wanted = choose?.(existing.map(({ topic }) => topic)) ?? topics;
    const known = reader.positions();
    for (const { topic, partitions } of existing.filter((each) => wanted.includes(each.topic))) {
      const isNew = ({ partition }: { partition: number }): boolean =>
        only?.includes(partition) !== false && !known.some((at) => isSame(at, { topic, partition }));
      if (!partitions.some(isNew)) continue;
      if (leftOut.has(topic)) {
        const { from } = await resolveSpan(kafka, [topic], span, { only, onTrouble: () => undefined });
        const back = from.filter(isNew);
        reader.add(back);
        if (back.length > 0) leftOut.back(back.map(placeOf));
        continue;
      }
      const ranges = (await kafka.offsets(topic)).filter(isNew);
      reader.add(ranges.map(({ partition, low }) => ({ topic, partition, offset: low })));
      if (!summary.topics.includes(topic)) summary.topics.push(topic);
    }
  } catch {
    // The reader reports that Kafka cannot be reached; the next look is soon.
  }
}

/** Offsets of a partition, from `from` up to but not including `to`. */
interface Stretch extends TopicPartition {
  from: bigint;
  to: bigint;
}

/** The offsets to read that exist already. */
function pastOf(
  from: readonly TopicPartitionOffset[],
  stops: readonly TopicPartitionOffset[] | undefined,
  ends: readonly TopicPartitionOffset[],
): Stretch[] {
  return from.map(({ topic, partition, offset }) => {
    const end = offsetIn(ends, { topic, partition });
    const stop = stops === undefined ? end : offsetIn(stops, { topic, partition });
    const to = stop < end ? stop : end;
    return { topic, partition, from: offset, to: to > offset ? to : offset };
  });
}

/** What every step of one reading shares. */
interface Reading {
  kafka: Pick<Kafka, 'reader'>;
  consumer: RecordConsumer;
  signal: AbortSignal;
}

/**
 * The wanted records of the past in the order of their timestamps, within a partition in that of their offsets.
 *
 * @param last so many in all, however large they are; undefined: all of them
 * @returns undefined where all of them are too many to be kept in memory
 */
async function readMerged(
  reading: Reading,
  past: readonly Stretch[],
  last: number | undefined,
): Promise<KafkaRecord[] | undefined> {
  const offsets = past.reduce((sum, { from, to }) => sum + Number(to - from), 0);
  if (last === undefined && offsets > MERGED.records) return undefined;
  const count = last ?? offsets;
  const found = await readLast(reading, past, count, last === undefined ? MERGED.bytes : Infinity);
  if (found === undefined || count === 0) return found;
  // Stable: within a partition the order of offsets stays where timestamps are equal.
  return found.sort((left, right) => left.timestamp - right.timestamp).slice(-count);
}

/**
 * The last `count` wanted records of each partition.
 *
 * Compaction, transaction markers and a filter leave gaps, so that the offset to begin at is unknown: each partition
 * is read in windows that double, from its end backwards, until it has given `count` or has no more.
 *
 * @returns undefined where they are larger than `budget`, in bytes
 */
async function readLast(
  { kafka, consumer, signal }: Reading,
  past: readonly Stretch[],
  count: number,
  budget: number,
): Promise<KafkaRecord[] | undefined> {
  const { keep } = consumer;
  const partitions = past.map((stretch) => ({
    ...stretch,
    unread: stretch.to,
    window: BigInt(Math.max(count, 1)),
    found: [] as KafkaRecord[],
  }));
  for (;;) {
    const short = partitions.filter(({ found, unread, from }) => found.length < count && unread > from);
    if (short.length === 0 || signal.aborted) return partitions.flatMap(({ found }) => found);
    const windows = short.map((partition) => {
      const start = partition.unread - partition.window;
      return {
        partition,
        start: start > partition.from ? start : partition.from,
        records: [] as KafkaRecord[],
      };
    });
    const reader = await kafka.reader({
      from: windows.map(({ partition, start }) => ({ ...placeOf(partition), offset: start })),
      until: short.map((partition) => ({ ...placeOf(partition), offset: partition.unread })),
      patience: PATIENCE,
      ...troubleOf(consumer),
    });
    let bytes = 0;
    await consume(reader, consumer, signal, (batch) => {
      const window = windows.find(({ partition }) => isSame(partition, batch));
      if (window === undefined) return 'more';
      for (const record of batch.records) {
        if (keep !== undefined && !keep(record)) continue;
        window.records.push(record);
        bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      }
      if (window.records.length > 2 * count) window.records.splice(0, window.records.length - count);
      return bytes > budget ? 'enough' : 'more';
    });
    if (bytes > budget) return undefined;
    for (const { partition, start, records } of windows) {
      partition.found = [...records, ...partition.found].slice(-count);
      partition.unread = start;
      partition.window *= 2n;
    }
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

function isSame(left: TopicPartition, right: TopicPartition): boolean {
  return left.partition === right.partition && left.topic === right.topic;
}

function offsetIn(positions: readonly TopicPartitionOffset[], at: TopicPartition): bigint {
  return positions.find((position) => isSame(position, at))?.offset ?? 0n;
}

/** Reads until `take` has enough, the reader ends, or `signal` is aborted; closes the reader in each case. */
async function consume(
  reader: Reader,
  { gap }: RecordConsumer,
  signal: AbortSignal,
  take: (batch: RecordBatch) => 'more' | 'enough' | Promise<'more' | 'enough'>,
): Promise<void> {
  const close = (): void => void reader.close();
  signal.addEventListener('abort', close);
  if (signal.aborted) close();
  try {
    for await (const batch of reader) {
      if (batch.jumped !== undefined) gap?.({ ...placeOf(batch), ...batch.jumped });
      if ((await take(batch)) === 'enough') return;
    }
  } finally {
    signal.removeEventListener('abort', close);
    await reader.close();
  }
}

import type { Kafka, KafkaRecord, ReadPosition, Reader, RecordBatch } from '../kafka/port.ts';
import { type Span, resolveSpan } from './positions.ts';

export interface TailRequest {
  /** Names of topics that exist. */
  topics: readonly string[];
  span: Span;
  /** So many in all, merged by time, instead of everything from `span.from`. */
  last?: number | undefined;
  /** Stop after so many that were kept. */
  max?: number | undefined;
  /** Stop at the end as it was at the start, by position. */
  exitAtEnd: boolean;
}

/** What becomes of the records. */
export interface TailConsumer {
  /** Whether a record is wanted; left out: all are. */
  keep?: ((record: KafkaRecord) => boolean) | undefined;
  take(record: KafkaRecord): void;
  /** Awaited between batches: backpressure. */
  ready?(): Promise<void>;
}

export interface TailSummary {
  topics: string[];
  /** How many records were kept. */
  records: number;
  stopped: 'end' | 'max' | 'interrupted';
}

/** A restart of brokers is borne for so long, milliseconds. */
const PATIENCE = 30_000;

/**
 * Reads topics without a consumer group and hands each wanted record to `consumer`, within a partition in the order
 * of offsets. Ends by position, so that gaps of compaction and of transaction markers never keep it waiting.
 *
 * @throws ServiceError when no broker can be reached
 */
export async function tail(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  request: TailRequest,
  consumer: TailConsumer,
  signal: AbortSignal,
): Promise<TailSummary> {
  const summary: TailSummary = { topics: [...request.topics], records: 0, stopped: 'end' };
  const limit = request.max ?? Infinity;
  if (limit === 0) return { ...summary, stopped: 'max' };
  const { from, until, ends } = await resolveSpan(kafka, request.topics, request.span);
  const stops = until ?? (request.exitAtEnd ? ends : undefined);
  let starts = from;
  if (request.last !== undefined) {
    const last = await readLast(kafka, from, stops ?? ends, request.last, consumer.keep, signal);
    for (const record of last.slice(0, limit)) consumer.take(record);
    summary.records = Math.min(last.length, limit);
    await consumer.ready?.();
    if (summary.records >= limit) return { ...summary, stopped: 'max' };
    starts = stops ?? ends;
  }
  const open = stops === undefined ? starts : starts.filter((start) => start.offset < offsetIn(stops, start));
  if (open.length === 0) return { ...summary, stopped: signal.aborted ? 'interrupted' : 'end' };
  const reader = await kafka.reader({
    from: open,
    patience: PATIENCE,
    ...(stops === undefined ? {} : { until: stopsOf(open, stops) }),
  });
  const { keep } = consumer;
  await consume(reader, signal, async ({ records }) => {
    for (const record of records) {
      if (keep !== undefined && !keep(record)) continue;
      consumer.take(record);
      if (++summary.records >= limit) return 'enough';
    }
    await consumer.ready?.();
    return 'more';
  });
  if (summary.records >= limit) return { ...summary, stopped: 'max' };
  return { ...summary, stopped: signal.aborted ? 'interrupted' : 'end' };
}

/**
 * The last `count` wanted records before `stops`, over all partitions together, in the order of their timestamps.
 *
 * How many offsets back that is, nobody knows beforehand (compaction, transaction markers, a filter): each partition
 * is read in windows that double, from its end backwards, until it has given `count` or has no more.
 */
async function readLast(
  kafka: Pick<Kafka, 'reader'>,
  from: readonly ReadPosition[],
  stops: readonly ReadPosition[],
  count: number,
  keep: TailConsumer['keep'],
  signal: AbortSignal,
): Promise<KafkaRecord[]> {
  const partitions = from.map((start) => ({
    ...start,
    low: start.offset,
    unread: offsetIn(stops, start),
    window: BigInt(Math.max(count, 1)),
    found: [] as KafkaRecord[],
  }));
  for (;;) {
    const short = partitions.filter(({ found, unread, low }) => found.length < count && unread > low);
    if (short.length === 0 || signal.aborted) break;
    const windows = short.map((partition) => {
      const start = partition.unread - partition.window;
      return {
        partition,
        start: start > partition.low ? start : partition.low,
        records: [] as KafkaRecord[],
      };
    });
    const reader = await kafka.reader({
      from: windows.map(({ partition, start }) => ({
        topic: partition.topic,
        partition: partition.partition,
        offset: start,
      })),
      until: short.map(({ topic, partition, unread }) => ({ topic, partition, offset: unread })),
    });
    await consume(reader, signal, (batch) => {
      const window = windows.find(
        ({ partition: p }) => p.topic === batch.topic && p.partition === batch.partition,
      );
      if (window === undefined) return 'more';
      for (const record of batch.records) if (keep === undefined || keep(record)) window.records.push(record);
      if (window.records.length > 2 * count) window.records.splice(0, window.records.length - count);
      return 'more';
    });
    for (const { partition, start, records } of windows) {
      partition.found = [...records, ...partition.found].slice(-count);
      partition.unread = start;
      partition.window *= 2n;
    }
  }
  const merged = partitions.flatMap(({ found }) => found);
  // Stable: within a partition the order of offsets stays where timestamps are equal.
  return count === 0 ? [] : merged.sort((left, right) => left.timestamp - right.timestamp).slice(-count);
}

function offsetIn(positions: readonly ReadPosition[], at: Omit<ReadPosition, 'offset'>): bigint {
  return (
    positions.find(({ topic, partition }) => topic === at.topic && partition === at.partition)?.offset ?? 0n
  );
}

function stopsOf(open: readonly ReadPosition[], stops: readonly ReadPosition[]): ReadPosition[] {
  return open.map((start) => ({ ...start, offset: offsetIn(stops, start) }));
}

/** Reads until `take` has enough, the reader ends, or `signal` is aborted; closes the reader in each case. */
async function consume(
  reader: Reader,
  signal: AbortSignal,
  take: (batch: RecordBatch) => 'more' | 'enough' | Promise<'more' | 'enough'>,
): Promise<void> {
  const close = (): void => void reader.close();
  signal.addEventListener('abort', close);
  if (signal.aborted) close();
  try {
    for await (const batch of reader) if ((await take(batch)) === 'enough') return;
  } finally {
    signal.removeEventListener('abort', close);
    await reader.close();
  }
}

import type { Cluster } from './cluster.ts';
import type { OffsetRange, TopicPartition } from './port.ts';
import { type Broker, ListOffsets, errorOf } from './wire/index.ts';

/** Which offset of a partition is asked for, in ListOffsets' own numbers: by a timestamp, of committed records or of all. */
interface Point {
  timestamp: number;
  isolationLevel: 0 | 1;
}

const EARLIEST: Point = { timestamp: -2, isolationLevel: 0 };
const LATEST: Point = { timestamp: -1, isolationLevel: 0 };
const LATEST_STABLE: Point = { timestamp: -1, isolationLevel: 1 };

/** The start of a partition's log. */
export async function lowOffset(
  cluster: Cluster,
  broker: Broker,
  { topic, partition }: TopicPartition,
): Promise<bigint> {
  const found = await listOffsets(cluster, broker, { topic, partitions: [partition], point: EARLIEST });
  return found.get(partition) ?? 0n;
}

export async function offsetRanges(cluster: Cluster, topic: string): Promise<OffsetRange[]> {
  const [low, high, stable] = await Promise.all([
    offsetsOf(cluster, topic, EARLIEST),
    offsetsOf(cluster, topic, LATEST),
    offsetsOf(cluster, topic, LATEST_STABLE),
  ]);
  return [...low].map(([partition, offset]) => ({
    partition,
    low: offset,
    high: high.get(partition) ?? offset,
    stable: stable.get(partition) ?? offset,
  }));
}

/** Of each partition the first offset at or after `at` (epoch milliseconds); the end where there is none. */
export async function offsetsAt(
  cluster: Cluster,
  topic: string,
  at: number,
): Promise<{ partition: number; offset: bigint }[]> {
  const [found, end] = await Promise.all([
    offsetsOf(cluster, topic, { timestamp: Math.max(0, Math.floor(at)), isolationLevel: 0 }),
    offsetsOf(cluster, topic, LATEST),
  ]);
  return [...found].map(([partition, offset]) => ({
    partition,
    offset: offset >= 0n ? offset : (end.get(partition) ?? 0n),
  }));
}

/** By partition, in order. */
async function offsetsOf(cluster: Cluster, topic: string, point: Point): Promise<Map<number, bigint>> {
  const partitions = await cluster.partitions(topic);
  const leaders = new Map<Broker, number[]>();
  for (const partition of partitions) {
    const leader = await cluster.leader(topic, partition);
    leaders.set(leader, [...(leaders.get(leader) ?? []), partition]);
  }
  const answers = await Promise.all(
    [...leaders].map(([broker, led]) => listOffsets(cluster, broker, { topic, partitions: led, point })),
  );
  return new Map(answers.flatMap((answer) => [...answer]).sort(([a], [b]) => a - b));
}

async function listOffsets(
  cluster: Cluster,
  broker: Broker,
  { topic, partitions, point }: { topic: string; partitions: readonly number[]; point: Point },
): Promise<Map<number, bigint>> {
  const { responses } = await cluster.send(broker, ListOffsets, {
    replicaId: -1,
    isolationLevel: point.isolationLevel,
    topics: [
      { topic, partitions: partitions.map((partition) => ({ partition, timestamp: point.timestamp })) },
    ],
  });
  const offsets = new Map<number, bigint>();
  for (const { partition, errorCode, offset } of responses.flatMap((response) => response.partitions)) {
    const error = errorOf(errorCode);
    if (error !== undefined) {
      cluster.forgetLeaders([topic]);
      throw error;
    }
    offsets.set(partition, BigInt(offset));
  }
  return offsets;
}

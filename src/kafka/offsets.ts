import type { Cluster } from './cluster.ts';
import type { OffsetRange, TopicPartition } from './port.ts';
import { type Broker, failOn } from './wire/index.ts';

const EARLIEST = -2;
const LATEST = -1;
const UNCOMMITTED = 0;
const COMMITTED = 1;

/** The start of a partition's log. */
export async function lowOffset(
  cluster: Cluster,
  broker: Broker,
  { topic, partition }: TopicPartition,
): Promise<bigint> {
  const found = await listOffsets(cluster, broker, topic, [partition], EARLIEST, UNCOMMITTED);
  return found.get(partition) ?? 0n;
}

export async function offsetRanges(cluster: Cluster, topic: string): Promise<OffsetRange[]> {
  const [low, high, stable] = await Promise.all([
    offsetsOf(cluster, topic, EARLIEST, UNCOMMITTED),
    offsetsOf(cluster, topic, LATEST, UNCOMMITTED),
    offsetsOf(cluster, topic, LATEST, COMMITTED),
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
    offsetsOf(cluster, topic, Math.max(0, Math.floor(at)), UNCOMMITTED),
    offsetsOf(cluster, topic, LATEST, UNCOMMITTED),
  ]);
  return [...found].map(([partition, offset]) => ({
    partition,
    offset: offset >= 0n ? offset : (end.get(partition) ?? 0n),
  }));
}

/** By partition, in order. */
async function offsetsOf(
  cluster: Cluster,
  topic: string,
  timestamp: number,
  isolation: number,
): Promise<Map<number, bigint>> {
  const partitions = await cluster.partitions(topic);
  const leaders = new Map<Broker, number[]>();
  for (const partition of partitions) {
    const leader = await cluster.leader(topic, partition);
    leaders.set(leader, [...(leaders.get(leader) ?? []), partition]);
  }
  const answers = await Promise.all(
    [...leaders].map(([broker, led]) => listOffsets(cluster, broker, topic, led, timestamp, isolation)),
  );
  return new Map(answers.flatMap((answer) => [...answer]).sort(([a], [b]) => a - b));
}

async function listOffsets(
  cluster: Cluster,
  broker: Broker,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  isolationLevel: number,
): Promise<Map<number, bigint>> {
  const { responses } = await cluster.send(broker, 'ListOffsets', {
    replicaId: -1,
    isolationLevel,
    topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
  });
  const offsets = new Map<number, bigint>();
  for (const { partition, errorCode, offset } of responses.flatMap((response) => response.partitions)) {
    if (errorCode !== 0) cluster.forgetLeaders([topic]);
    failOn(errorCode);
    offsets.set(partition, BigInt(offset));
  }
  return offsets;
}

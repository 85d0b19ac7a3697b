import type { Cluster } from './cluster.ts';
import { lacking } from './lacking.ts';
import { leaderless } from './errors.ts';
import { DeniedError } from './failures.ts';
import type { OffsetRange, TopicPartition, Trouble } from './port.ts';
import { onTopic } from './rights.ts';
import { type Broker, ListOffsets, ProtocolError, errorOf } from './wire/index.ts';

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

type OnTrouble = (trouble: Trouble) => void;

/** How long an election of leaders may take before a partition counts as one without, milliseconds. */
export const ELECTION_MS = 5_000;

export function offsetRanges(cluster: Cluster, topic: string, onTrouble?: OnTrouble): Promise<OffsetRange[]> {
  return ofUsable(cluster, topic, onTrouble, async (usable) => {
    const [low, high, stable] = await Promise.all([
      offsetsOf(cluster, topic, usable, EARLIEST),
      offsetsOf(cluster, topic, usable, LATEST),
      offsetsOf(cluster, topic, usable, LATEST_STABLE),
    ]);
    return [...low].map(([partition, offset]) => ({
      partition,
      low: offset,
      high: high.get(partition) ?? offset,
      stable: stable.get(partition) ?? offset,
    }));
  });
}

/** Of each partition the first offset at or after `at` (epoch milliseconds); the end where there is none. */
export function offsetsAt(
  cluster: Cluster,
  topic: string,
  at: number,
  onTrouble?: OnTrouble,
): Promise<{ partition: number; offset: bigint }[]> {
  return ofUsable(cluster, topic, onTrouble, async (usable) => {
    const [found, end] = await Promise.all([
      offsetsOf(cluster, topic, usable, { timestamp: Math.max(0, Math.floor(at)), isolationLevel: 0 }),
      offsetsOf(cluster, topic, usable, LATEST),
    ]);
    return [...found].map(([partition, offset]) => ({
      partition,
      offset: offset >= 0n ? offset : (end.get(partition) ?? 0n),
    }));
  });
}

/**
 * Asks for the partitions that a topic has now: some may have been added since it was last asked about. Where `onTrouble` is given, partitions without a leader are left out after
 * {@link ELECTION_MS}, and all of a topic that this user may not see at once.
 */
async function ofUsable<T>(
  cluster: Cluster,
  topic: string,
  onTrouble: OnTrouble | undefined,
  ask: (partitions: readonly number[]) => Promise<T[]>,
): Promise<T[]> {
  if (onTrouble === undefined)
    return cluster.attempt({ topic }, async () => {
      const leaders = (await cluster.refresh([topic])).get(topic) ?? new Map<number, number>();
      return ask([...leaders.keys()].sort((a, b) => a - b));
    });
  const started = performance.now();
  let without: number[] = [];
  try {
    const found = await cluster.attempt({ topic }, async () => {
      const leaders = [...((await cluster.refresh([topic])).get(topic) ?? [])];
      without = leaders.filter(([, leader]) => leader < 0).map(([partition]) => partition);
      if (without.length > 0 && performance.now() - started < ELECTION_MS)
        throw new ProtocolError('LEADER_NOT_AVAILABLE');
      const usable = leaders.filter(([, leader]) => leader >= 0).map(([partition]) => partition);
      return usable.length === 0 ? [] : ask(usable.sort((a, b) => a - b));
    });
    if (without.length > 0) {
      const places = without.sort((a, b) => a - b).map((partition) => ({ topic, partition }));
      onTrouble({ places, error: leaderless(topic, without, cluster.brokers) });
    }
    return found;
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    onTrouble({ places: [{ topic }], error });
    return [];
  }
}

/** By partition, in order. */
async function offsetsOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  point: Point,
): Promise<Map<number, bigint>> {
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
      throw lacking(error, onTopic('Describe', topic));
    }
    offsets.set(partition, BigInt(offset));
  }
  return offsets;
}

import type { Api } from '../api.ts';
import type { ErrorName } from '../error-codes.ts';
import { Packet, Unpacker } from '../packet.ts';

export interface FetchRequest {
  /** Milliseconds. */
  maxWait: number;
  /** Of the whole response. */
  maxBytes: number;
  maxBytesPerPartition: number;
  readCommitted: boolean;
  partitions: readonly { topicId: string; partition: number; offset: bigint }[];
}

export interface FetchResponse {
  clientSideThrottleTime: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

export interface FetchedPartition {
  topicId: string;
  partition: number;
  errorCode: number;
  highWatermark: bigint;
  lastStableOffset: bigint;
  logStart: bigint;
  aborted: { producerId: bigint; firstOffset: bigint }[];
  /** Record batches one after the other; the last one may be cut off. */
  bytes: Buffer;
}

/**
 * Asks by the topic's id, so that a topic that was made again under its name is not taken for the one before. The record batches
 * stay bytes: https://kafka.apache.org/protocol#The_Messages_Fetch
 */
export const Fetch: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  versions: { min: 13, max: 13 },
  flexibleFrom: 12,
  timeout: ({ maxWait }, usual) => usual + maxWait,
  encode: ({ maxWait, maxBytes, maxBytesPerPartition, readCommitted, partitions }) => {
    const byTopic = Map.groupBy(partitions, ({ topicId }) => topicId);
    const packet = new Packet(64 + partitions.length * 56)
      .int32(-1) // replica: none, a consumer
      .int32(maxWait)
      .int32(1) // at least one byte
      .int32(maxBytes)
      .int8(readCommitted ? 1 : 0)
      .int32(0) // no fetch session
      .int32(-1)
      .compactCount(byTopic.size);
    for (const [topicId, wanted] of byTopic) {
      packet.uuid(topicId).compactCount(wanted.length);
      for (const { partition, offset } of wanted) {
        packet
          .int32(partition)
          .int32(-1) // leader epoch: unknown
          .int64(offset)
          .int32(-1) // epoch of the last fetched record: unknown
          .int64(-1n) // log start: of followers only
          .int32(maxBytesPerPartition)
          .tags();
      }
      packet.tags();
    }
    return [packet.compactCount(0).compactString('').tags().buffer]; // no forgotten topics, no rack
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const errorCode = data.int16();
    data.int32(); // session
    const partitions = data.compactArray(() => {
      const topicId = data.uuid();
      const ofTopic = data.compactArray(() => readPartition(data, topicId));
      data.tags();
      return ofTopic;
    });
    return { clientSideThrottleTime, errorCode, partitions: partitions.flat() };
  },
};

function readPartition(data: Unpacker, topicId: string): FetchedPartition {
  const partition = data.int32();
  const errorCode = data.int16();
  const highWatermark = data.int64();
  const lastStableOffset = data.int64();
  const logStart = data.int64();
  const aborted = data.compactArray(() => {
    const transaction = { producerId: data.int64(), firstOffset: data.int64() };
    data.tags();
    return transaction;
  });
  data.int32(); // preferred replica
  const bytes = data.compactBytes();
  data.tags();
  return { topicId, partition, errorCode, highWatermark, lastStableOffset, logStart, aborted, bytes };
}

/**
 * Errors of a fetched partition after which the partition has to be asked for again, mostly at another leader: those after
 * which Kafka's own consumer refreshes its metadata (FetchCollector#handleInitializeErrors).
 */
const MOVED: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
]);

export function hasMoved(error: ErrorName): boolean {
  return MOVED.has(error);
}

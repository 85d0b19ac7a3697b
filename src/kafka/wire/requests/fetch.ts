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
  partitions: readonly { topic: string; partition: number; offset: bigint }[];
}

export interface FetchResponse {
  clientSideThrottleTime: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

export interface FetchedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  highWatermark: bigint;
  lastStableOffset: bigint;
  logStart: bigint;
  aborted: { producerId: bigint; firstOffset: bigint }[];
  /** Record batches one after the other; the last one may be cut off. */
  bytes: Buffer;
}

/** The record batches stay bytes: https://kafka.apache.org/protocol#The_Messages_Fetch */
export const Fetch: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  versions: { min: 11, max: 11 },
  timeout: ({ maxWait }, usual) => usual + maxWait,
  encode: ({ maxWait, maxBytes, maxBytesPerPartition, readCommitted, partitions }) => {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    const packet = new Packet(64 + partitions.length * 32)
      .int32(-1) // replica: none, a consumer
      .int32(maxWait)
      .int32(1) // at least one byte
      .int32(maxBytes)
      .int8(readCommitted ? 1 : 0)
      .int32(0) // no fetch session
      .int32(-1)
      .int32(byTopic.size);
    for (const [topic, wanted] of byTopic) {
      packet.string(topic).int32(wanted.length);
      for (const { partition, offset } of wanted) {
        packet
          .int32(partition)
          .int32(-1) // leader epoch: unknown
          .int64(offset)
          .int64(-1n) // log start: of followers only
          .int32(maxBytesPerPartition);
      }
    }
    return [packet.int32(0).string('').buffer]; // no forgotten topics, no rack
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const errorCode = data.int16();
    data.int32(); // session
    const partitions = data.array(() => {
      const topic = data.string();
      return data.array(() => ({
        topic,
        partition: data.int32(),
        errorCode: data.int16(),
        highWatermark: data.int64(),
        lastStableOffset: data.int64(),
        logStart: data.int64(),
        aborted: data.array(() => ({ producerId: data.int64(), firstOffset: data.int64() })),
        preferredReplica: data.int32(),
        bytes: data.bytes(),
      }));
    });
    return { clientSideThrottleTime, errorCode, partitions: partitions.flat() };
  },
};

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

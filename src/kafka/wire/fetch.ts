import type { ProtocolCall } from 'kafkajs/src/broker/index.js';
import { API } from './requests.ts';
import { Packet, Unpacker } from './packet.ts';

/** Fetch, version 11: https://kafka.apache.org/protocol#The_Messages_Fetch. The record batches stay bytes. */
const VERSION = 11;

export interface FetchRequest {
  /** Milliseconds. */
  maxWait: number;
  /** Of the whole answer. */
  maxBytes: number;
  maxBytesPerPartition: number;
  readCommitted: boolean;
  partitions: readonly { topic: string; partition: number; offset: bigint }[];
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

export function fetchCall(request: FetchRequest, requestTimeout: number): ProtocolCall {
  return {
    request: {
      apiKey: API.Fetch,
      apiVersion: VERSION,
      apiName: 'Fetch',
      encode: () => Promise.resolve(encode(request)),
    },
    response: {
      decode: (payload) => Promise.resolve(decode(payload)),
      parse: (data) => Promise.resolve(data),
    },
    requestTimeout,
  };
}

function encode({ maxWait, maxBytes, maxBytesPerPartition, readCommitted, partitions }: FetchRequest): {
  buf: Buffer;
  buffer: Buffer;
} {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const packet = new Packet(
    64 + partitions.length * 32 + [...byTopic.keys()].reduce((sum, topic) => sum + topic.length * 3 + 8, 0),
  );
  packet
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
  return packet.int32(0).string('').encoded(); // no forgotten topics, no rack
}

export interface FetchResponse {
  clientSideThrottleTime: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

function decode(payload: Buffer): FetchResponse {
  const data = new Unpacker(payload);
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
}

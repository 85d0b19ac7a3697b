import type { ProtocolCall } from 'kafkajs/src/broker/index.js';
import { Packet, Unpacker } from './packet.ts';
import { API } from './requests.ts';

/** Produce, version 7: https://kafka.apache.org/protocol#The_Messages_Produce. The record batches are bytes already. */
const VERSION = 7;
const ALL_IN_SYNC = -1;

export interface ProduceRequest {
  transactionalId: string | null;
  /** How long the leader may wait for its followers, milliseconds. */
  timeout: number;
  /** One sealed record batch a partition. */
  batches: readonly { topic: string; partition: number; bytes: Buffer }[];
}

export interface ProducedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  /** Of the batch's first record. */
  baseOffset: bigint;
}

export function produceCall(request: ProduceRequest, requestTimeout: number): ProtocolCall {
  return {
    request: {
      apiKey: API.Produce,
      apiVersion: VERSION,
      apiName: 'Produce',
      encode: () => Promise.resolve(encode(request)),
    },
    response: {
      decode: (payload) => Promise.resolve(decode(payload)),
      parse: (data) => Promise.resolve(data),
    },
    requestTimeout,
  };
}

function encode({ transactionalId, timeout, batches }: ProduceRequest): { buf: Buffer; buffer: Buffer } {
  const byTopic = Map.groupBy(batches, ({ topic }) => topic);
  const size = batches.reduce((sum, { topic, bytes }) => sum + bytes.length + topic.length * 3 + 16, 512);
  const packet = new Packet(size)
    .string(transactionalId)
    .int16(ALL_IN_SYNC)
    .int32(timeout)
    .int32(byTopic.size);
  for (const [topic, partitions] of byTopic) {
    packet.string(topic).int32(partitions.length);
    for (const { partition, bytes } of partitions) packet.int32(partition).int32(bytes.length).raw(bytes);
  }
  return packet.encoded();
}

export interface ProduceResponse {
  clientSideThrottleTime: number;
  partitions: ProducedPartition[];
}

function decode(payload: Buffer): ProduceResponse {
  const data = new Unpacker(payload);
  const partitions = data.array(() => {
    const topic = data.string();
    return data.array(() => {
      const partition = { topic, partition: data.int32(), errorCode: data.int16(), baseOffset: data.int64() };
      data.int64(); // log append time
      data.int64(); // log start
      return partition;
    });
  });
  return { partitions: partitions.flat(), clientSideThrottleTime: data.int32() };
}

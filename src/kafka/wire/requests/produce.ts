import type { Api } from '../api.ts';
import { Packet, Unpacker } from '../packet.ts';

const ALL_IN_SYNC = -1;

export interface ProduceRequest {
  transactionalId: string | null;
  /** How long the leader may wait for its followers, milliseconds. */
  timeout: number;
  /** One sealed record batch a partition; its bytes are sent as they are, and must not change until the response is there. */
  batches: readonly { topic: string; partition: number; bytes: Buffer }[];
}

export interface ProduceResponse {
  clientSideThrottleTime: number;
  partitions: ProducedPartition[];
}

export interface ProducedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  /** Of the batch's first record. */
  baseOffset: bigint;
}

/** The record batches are bytes already: https://kafka.apache.org/protocol#The_Messages_Produce */
export const Produce: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  versions: { min: 7, max: 7 },
  /** What comes before each batch, and the batches themselves, by turns: kafkajs would copy each batch three times. */
  encode: ({ transactionalId, timeout, batches }) => {
    const byTopic = Map.groupBy(batches, ({ topic }) => topic);
    const packet = new Packet(512)
      .string(transactionalId)
      .int16(ALL_IN_SYNC)
      .int32(timeout)
      .int32(byTopic.size);
    const ends: number[] = [];
    const bodies: Buffer[] = [];
    for (const [topic, partitions] of byTopic) {
      packet.string(topic).int32(partitions.length);
      for (const { partition, bytes } of partitions) {
        packet.int32(partition).int32(bytes.length);
        ends.push(packet.buffer.length);
        bodies.push(bytes);
      }
    }
    const between = packet.buffer;
    return bodies.flatMap((body, index) => [between.subarray(ends[index - 1] ?? 0, ends[index]), body]);
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const partitions = data.array(() => {
      const topic = data.string();
      return data.array(() => {
        const partition = {
          topic,
          partition: data.int32(),
          errorCode: data.int16(),
          baseOffset: data.int64(),
        };
        data.int64(); // log append time
        data.int64(); // log start
        return partition;
      });
    });
    return { partitions: partitions.flat(), clientSideThrottleTime: data.int32() };
  },
};

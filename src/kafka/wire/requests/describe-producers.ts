import type { Api, Throttled } from '../api.ts';
import { Packet, Unpacker } from '../packet.ts';

export interface DescribeProducersRequest {
  topics: readonly { topic: string; partitions: readonly number[] }[];
}

export interface DescribeProducersResponse extends Throttled {
  partitions: DescribedPartition[];
}

interface DescribedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  producers: {
    producerId: bigint;
    /** Of its last record in the partition, epoch milliseconds. */
    lastTimestamp: bigint;
    /** The first offset of its open transaction in the partition; -1: none is open. */
    openSince: bigint;
  }[];
}

/** Asked of a partition's leader: https://kafka.apache.org/protocol#The_Messages_DescribeProducers */
export const DescribeProducers: Api<DescribeProducersRequest, DescribeProducersResponse> = {
  name: 'DescribeProducers',
  key: 61,
  versions: { min: 0, max: 0 },
  flexibleFrom: 0,
  encode: ({ topics }) => {
    const packet = new Packet(64 + topics.length * 64).compactCount(topics.length);
    for (const { topic, partitions } of topics) {
      packet.compactString(topic).compactCount(partitions.length);
      for (const partition of partitions) packet.int32(partition);
      packet.tags();
    }
    return [packet.tags().buffer];
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const partitions = data.compactArray(() => {
      const topic = data.compactString();
      const ofTopic = data.compactArray(() => readPartition(data, topic));
      data.tags();
      return ofTopic;
    });
    return { clientSideThrottleTime, partitions: partitions.flat() };
  },
};

function readPartition(data: Unpacker, topic: string): DescribedPartition {
  const [partition, errorCode] = [data.int32(), data.int16()];
  data.compactString(); // error message
  const producers = data.compactArray(() => {
    const producerId = data.int64();
    data.int32(); // epoch
    data.int32(); // last sequence number
    const lastTimestamp = data.int64();
    data.int32(); // epoch of the coordinator
    const openSince = data.int64();
    data.tags();
    return { producerId, lastTimestamp, openSince };
  });
  data.tags();
  return { topic, partition, errorCode, producers };
}

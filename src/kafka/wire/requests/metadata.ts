import type { Api, Throttled } from '../api.ts';
import { Packet, Unpacker } from '../packet.ts';

export interface MetadataRequest {
  /** null: all of them; none: only the brokers. */
  topics: readonly string[] | null;
}

export interface MetadataResponse extends Throttled {
  brokers: { nodeId: number; host: string; port: number }[];
  clusterId: string;
  /** -1: unknown. */
  controllerId: number;
  topicMetadata: TopicMetadata[];
}

export interface TopicMetadata {
  topicErrorCode: number;
  topic: string;
  /** As Kafka prints it. */
  topicId: string;
  partitionMetadata: {
    partitionErrorCode: number;
    partitionId: number;
    /** Node id; -1 without a leader. */
    leader: number;
    replicas: number[];
    isr: number[];
  }[];
}

/** Of a topic that is asked for by its name. */
const NO_ID = 'A'.repeat(22);

/** With the topics' ids, which kafkajs's versions do not have: https://kafka.apache.org/protocol#The_Messages_Metadata */
export const Metadata: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  versions: { min: 10, max: 12 },
  flexibleFrom: 9,
  encode: ({ topics }, version) => {
    const packet = new Packet(64 + (topics?.length ?? 0) * 64).compactCount(topics?.length ?? null);
    for (const topic of topics ?? []) packet.uuid(NO_ID).compactString(topic).tags();
    packet.int8(0); // no topic is created
    if (version === 10) packet.int8(0); // no authorized operations of the cluster
    return [packet.int8(0).tags().buffer]; // nor of the topics
  },
  decode: (body, version) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const brokers = data.compactArray(() => {
      const broker = { nodeId: data.int32(), host: data.compactString(), port: data.int32() };
      data.compactString(); // rack
      data.tags();
      return broker;
    });
    const clusterId = data.compactString();
    const controllerId = data.int32();
    const topicMetadata = data.compactArray(() => readTopic(data));
    if (version === 10) data.int32(); // authorized operations of the cluster
    data.tags();
    return { clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata };
  },
};

function readTopic(data: Unpacker): TopicMetadata {
  const [topicErrorCode, topic, topicId] = [data.int16(), data.compactString(), data.uuid()];
  data.int8(); // whether it is internal
  const partitionMetadata = data.compactArray(() => {
    const [partitionErrorCode, partitionId, leader] = [data.int16(), data.int32(), data.int32()];
    data.int32(); // leader epoch
    const node = (): number => data.int32();
    const [replicas, isr] = [data.compactArray(node), data.compactArray(node)];
    data.compactArray(node); // offline replicas
    data.tags();
    return { partitionErrorCode, partitionId, leader, replicas, isr };
  });
  data.int32(); // authorized operations
  data.tags();
  return { topicErrorCode, topic, topicId, partitionMetadata };
}

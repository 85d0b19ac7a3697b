import errors from 'kafkajs/src/protocol/error.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';

/** Kafka's numbers of the requests that are sent (https://kafka.apache.org/protocol#protocol_api_keys), by kafkajs's names. */
export const API = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  GroupCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  DescribeGroups: 15,
  ListGroups: 16,
  CreateTopics: 19,
  DeleteTopics: 20,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
  DescribeConfigs: 32,
  DeleteGroups: 42,
} as const;
export type ApiName = keyof typeof API;

/** What the brokers answer, as decoded; error codes are left to the caller. */
export interface Responses {
  ListOffsets: {
    responses: { topic: string; partitions: { partition: number; errorCode: number; offset: string }[] }[];
  };
  Metadata: MetadataResponse;
  OffsetCommit: { responses: { topic: string; partitions: { partition: number; errorCode: number }[] }[] };
  OffsetFetch: {
    errorCode?: number;
    responses: { topic: string; partitions: { partition: number; offset: string; errorCode: number }[] }[];
  };
  GroupCoordinator: { errorCode: number; coordinator: { nodeId: number; host: string; port: number } };
  JoinGroup: {
    errorCode: number;
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  };
  Heartbeat: { errorCode: number };
  LeaveGroup: { errorCode: number };
  SyncGroup: { errorCode: number; memberAssignment: Buffer };
  DescribeGroups: {
    groups: {
      errorCode: number;
      groupId: string;
      state: string;
      members: { memberId: string; clientId: string; clientHost: string }[];
    }[];
  };
  ListGroups: { errorCode: number; groups: { groupId: string; protocolType: string }[] };
  CreateTopics: { topicErrors: { topic: string; errorCode: number; errorMessage?: string | null }[] };
  DeleteTopics: { topicErrors: { topic: string; errorCode: number }[] };
  InitProducerId: { errorCode: number; producerId: string; producerEpoch: number };
  AddPartitionsToTxn: {
    errors: { topic: string; partitionErrors: { partition: number; errorCode: number }[] }[];
  };
  EndTxn: { errorCode: number };
  DescribeConfigs: {
    resources: { errorCode: number; configEntries: { configName: string; configValue: string | null }[] }[];
  };
  DeleteGroups: { results: { groupId: string; errorCode: number }[] };
}

export interface MetadataResponse {
  brokers: { nodeId: number; host: string; port: number }[];
  clusterId: string;
  controllerId: number;
  topicMetadata: {
    topicErrorCode: number;
    topic: string;
    partitionMetadata: {
      partitionErrorCode: number;
      partitionId: number;
      leader: number;
      replicas: number[];
      isr: number[];
    }[];
  }[];
}

const INVALID_PRODUCER_EPOCH = 47;
/** Newer than kafkajs's table of errors; it says the same. */
const PRODUCER_FENCED = 90;

/** @throws the protocol error of `code`; 0 is none */
export function failOn(code: number | undefined): void {
  if (code === undefined || code === 0) return;
  throw errors.createErrorFromCode(code === PRODUCER_FENCED ? INVALID_PRODUCER_EPOCH : code);
}

export { errors as protocolErrors, protocol };

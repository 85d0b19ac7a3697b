/**
 * The small requests, in kafkajs's encodings. What needs a newer version than kafkajs speaks gets a file of its own beside
 * this one.
 */
import protocol from 'kafkajs/src/protocol/requests/index.js';
import type { Api, Throttled } from '../api.ts';

/** @param name kafkajs's name, where it is not Kafka's */
function encodedByKafkajs<Request extends object, Response extends object>(
  key: number,
  {
    name,
    kafkajsName = name,
    timeout,
  }: { name: string; kafkajsName?: string } & Pick<Api<Request, Response>, 'timeout'>,
): Api<Request, Response & Throttled> {
  const definition = protocol.requests[kafkajsName];
  if (definition === undefined) throw new Error(`kafkajs has no request ${kafkajsName}`);
  const versions = definition.versions.map(Number);
  const { protocol: ofVersion } = definition;
  return {
    name,
    key,
    versions: { min: Math.min(...versions), max: Math.max(...versions) },
    ...(timeout === undefined ? {} : { timeout }),
    encode: async (request, version) => [(await ofVersion({ version })(request).request.encode()).buffer],
    decode: async (body, version, request) =>
      (await ofVersion({ version })(request).response.decode(body)) as Response,
  };
}

/** Nothing. */
type None = Record<string, never>;
interface PartitionError {
  partition: number;
  errorCode: number;
}

export const ListOffsets = encodedByKafkajs<
  {
    replicaId: -1;
    /** 0: up to the high watermark; 1: up to the last stable offset. */
    isolationLevel: 0 | 1;
    topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
  },
  { responses: { topic: string; partitions: (PartitionError & { offset: string })[] }[] }
>(2, { name: 'ListOffsets' });

export const OffsetCommit = encodedByKafkajs<
  {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  },
  { responses: { topic: string; partitions: PartitionError[] }[] }
>(8, { name: 'OffsetCommit' });

export const OffsetFetch = encodedByKafkajs<
  { groupId: string; topics: readonly { topic: string; partitions: readonly { partition: number }[] }[] },
  {
    errorCode?: number;
    responses: { topic: string; partitions: (PartitionError & { offset: string })[] }[];
  }
>(9, { name: 'OffsetFetch' });

export const FindCoordinator = encodedByKafkajs<
  {
    groupId: string;
    /** 0: of a group; 1: of a transactional id. */
    coordinatorType: 0 | 1;
  },
  { errorCode: number; coordinator: { nodeId: number; host: string; port: number } }
>(10, { name: 'FindCoordinator', kafkajsName: 'GroupCoordinator' });

/** The broker holds the response back until the other members have joined too; then the answer needs a moment. */
const JOIN_MARGIN_MS = 5_000;

export const JoinGroup = encodedByKafkajs<
  {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    protocolType: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  },
  {
    errorCode: number;
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }
>(11, {
  name: 'JoinGroup',
  timeout: ({ rebalanceTimeout }, usual) => Math.max(usual, rebalanceTimeout + JOIN_MARGIN_MS),
});

export const Heartbeat = encodedByKafkajs<
  { groupId: string; groupGenerationId: number; memberId: string },
  { errorCode: number }
>(12, { name: 'Heartbeat' });

export const LeaveGroup = encodedByKafkajs<{ groupId: string; memberId: string }, { errorCode: number }>(13, {
  name: 'LeaveGroup',
});

export const SyncGroup = encodedByKafkajs<
  {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  },
  { errorCode: number; memberAssignment: Buffer }
>(14, { name: 'SyncGroup' });

export const DescribeGroups = encodedByKafkajs<
  { groupIds: readonly string[] },
  {
    groups: {
      errorCode: number;
      groupId: string;
      state: string;
      members: { memberId: string; clientId: string; clientHost: string }[];
    }[];
  }
>(15, { name: 'DescribeGroups' });

export const ListGroups = encodedByKafkajs<
  None,
  { errorCode: number; groups: { groupId: string; protocolType: string }[] }
>(16, { name: 'ListGroups' });

export const CreateTopics = encodedByKafkajs<
  {
    timeout: number;
    validateOnly: boolean;
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
  },
  { topicErrors: { topic: string; errorCode: number; errorMessage?: string | null }[] }
>(19, { name: 'CreateTopics' });

export const DeleteTopics = encodedByKafkajs<
  { topics: readonly string[]; timeout: number },
  { topicErrors: { topic: string; errorCode: number }[] }
>(20, { name: 'DeleteTopics' });

export const InitProducerId = encodedByKafkajs<
  { transactionalId: string | null; transactionTimeout: number },
  { errorCode: number; producerId: string; producerEpoch: number }
>(22, { name: 'InitProducerId' });

interface Producer {
  transactionalId: string;
  producerId: bigint;
  producerEpoch: number;
}

export const AddPartitionsToTxn = encodedByKafkajs<
  Producer & { topics: readonly { topic: string; partitions: readonly number[] }[] },
  { errors: { topic: string; partitionErrors: PartitionError[] }[] }
>(24, { name: 'AddPartitionsToTxn' });

export const EndTxn = encodedByKafkajs<
  Producer & {
    /** true: commit; false: abort. */
    transactionResult: boolean;
  },
  { errorCode: number }
>(26, { name: 'EndTxn' });

export const DescribeConfigs = encodedByKafkajs<
  {
    resources: readonly {
      /** 2: a topic; 4: a broker, whose node id is the name. */
      type: 2 | 4;
      name: string;
      /** None: all of them. */
      configNames: readonly string[];
    }[];
  },
  { resources: { errorCode: number; configEntries: { configName: string; configValue: string | null }[] }[] }
>(32, { name: 'DescribeConfigs' });

/** The request is the list of the groups. */
export const DeleteGroups = encodedByKafkajs<
  readonly string[],
  { results: { groupId: string; errorCode: number }[] }
>(42, { name: 'DeleteGroups' });

import type { Cluster } from './cluster.ts';
import { failLacking, lacking } from './lacking.ts';
import { DeniedError, type TopicLimit } from './failures.ts';
import type { ClusterInfo, GroupInfo, LookedUp, TopicInfo, TopicPartition, TopicSpec } from './port.ts';
import { onCluster, onGroup, onTopic } from './rights.ts';
import {
  type Broker,
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  ListGroups,
  Metadata,
  type TopicMetadata,
  OffsetFetch,
  ProtocolError,
  errorNamed,
  errorOf,
  failOn,
} from './wire/index.ts';

const TOPIC_RESOURCE = 2;

export function describeCluster(cluster: Cluster): Promise<ClusterInfo> {
  return cluster.attempt({}, async () => {
    const { clusterId, controllerId, brokers } = await cluster.metadata(null);
    return {
      clusterId,
      controller: controllerId < 0 ? null : controllerId,
      brokers: brokers
        .map(({ nodeId, host, port }) => ({ nodeId, host, port }))
        .sort((a, b) => a.nodeId - b.nodeId),
    };
  });
}

/** A single try: whether one broker answers now. */
export async function roundTrip(
  cluster: Cluster,
  { nodeId }: ClusterInfo['brokers'][number],
): Promise<number> {
  try {
    const broker = await cluster.node(nodeId);
    const ask = () => cluster.send(broker, Metadata, { topics: [] });
    // The first answer waits for the connection too.
    await ask();
    const started = performance.now();
    await ask();
    return performance.now() - started;
  } catch (error) {
    throw cluster.translate(error);
  }
}

/** @param names left out: all topics */
export function listTopics(cluster: Cluster, names?: readonly string[]): Promise<TopicInfo[]> {
  // An empty list means all topics to Kafka.
  if (names?.length === 0) return Promise.resolve([]);
  return cluster.attempt({}, async () => {
    const { topicMetadata } = await cluster.metadata(names ?? null);
    return topicMetadata
      .filter(({ topicErrorCode }) => errorNamed(topicErrorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION')
      .map(topicInfo)
      .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  });
}

export function lookUpTopics(cluster: Cluster, names: readonly string[]): Promise<LookedUp> {
  return cluster.attempt({}, async () => {
    const looked: LookedUp = { found: [], absent: [], hidden: [] };
    // No names would mean all topics.
    const { topicMetadata } = names.length === 0 ? { topicMetadata: [] } : await cluster.metadata(names);
    for (const answer of topicMetadata) {
      const { topic, topicErrorCode } = answer;
      const error = errorOf(topicErrorCode);
      if (error === undefined || error.type === 'LEADER_NOT_AVAILABLE') looked.found.push(topicInfo(answer));
      else if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') looked.absent.push(topic);
      else {
        const translated = cluster.translate(lacking(error, onTopic('Describe', topic)), { topic });
        if (!(translated instanceof DeniedError)) throw error;
        looked.hidden.push(translated);
      }
    }
    return looked;
  });
}

function topicInfo({ topic, topicId, partitionMetadata }: TopicMetadata): TopicInfo {
  return {
    topic,
    topicId,
    partitions: partitionMetadata
      .map(({ partitionId, leader, replicas, isr }) => ({ partition: partitionId, leader, replicas, isr }))
      .sort((a, b) => a.partition - b.partition),
  };
}

/** @returns the names that were created; all of them have leaders then */
export async function createTopics(cluster: Cluster, specs: readonly TopicSpec[]): Promise<string[]> {
  if (specs.length === 0) return [];
  const { topicErrors } = await cluster.attempt({}, async () => {
    const answer = await cluster.send(await cluster.controller(), CreateTopics, {
      timeout: cluster.settings.requestTimeout,
      validateOnly: false,
      topics: specs.map(({ topic, partitions, replicationFactor, config }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
    const passing = answer.topicErrors
      .map(({ errorCode }) => errorOf(errorCode))
      .find((error) => error?.type === 'NOT_CONTROLLER');
    if (passing !== undefined) throw passing;
    return answer;
  });
  for (const { topic, errorCode, errorMessage } of topicErrors) {
    const error = errorOf(errorCode, errorMessage);
    if (error === undefined || error.type === 'TOPIC_ALREADY_EXISTS') continue;
    throw cluster.translate(lacking(error, onTopic('Create', topic), onCluster('Create')), { topic });
  }
  const created = topicErrors
    .filter(({ errorCode }) => errorOf(errorCode) === undefined)
    .map(({ topic }) => topic);
  if (created.length > 0) await cluster.attempt({}, () => haveLeaders(cluster, created));
  return specs.map(({ topic }) => topic).filter((topic) => created.includes(topic));
}

async function haveLeaders(cluster: Cluster, topics: readonly string[]): Promise<void> {
  const { topicMetadata } = await cluster.metadata(topics);
  for (const { topicErrorCode, partitionMetadata } of topicMetadata) {
    failOn(topicErrorCode);
    if (partitionMetadata.some(({ leader }) => leader < 0)) throw new ProtocolError('LEADER_NOT_AVAILABLE');
  }
}

/** A topic that is not there counts as deleted. */
export async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await cluster.attempt({}, async () => {
    const { topicErrors } = await cluster.send(await cluster.controller(), DeleteTopics, {
      topics: names,
      timeout: cluster.settings.requestTimeout,
    });
    for (const { topic, errorCode } of topicErrors) {
      const error = errorOf(errorCode);
      if (error === undefined || error.type === 'UNKNOWN_TOPIC_OR_PARTITION') continue;
      throw error.type === 'NOT_CONTROLLER'
        ? error
        : cluster.translate(lacking(error, onTopic('Delete', topic)), { topic });
    }
  });
  cluster.forgetLeaders(names);
}

/** @param names of the settings; none: all */
export function topicConfig(
  cluster: Cluster,
  topic: string,
  names: readonly string[] = [],
): Promise<Record<string, string>> {
  return cluster.attempt({ topic }, async () => {
    const { resources } = await cluster.send(await cluster.any(), DescribeConfigs, {
      resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: names }],
    });
    for (const { errorCode } of resources) failLacking(errorCode, onTopic('DescribeConfigs', topic));
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue ?? '']));
  });
}

/** How large a batch of records may be that is written to the topic. */
export async function topicLimit(cluster: Cluster, topic: string): Promise<TopicLimit> {
  const settings = await topicConfig(cluster, topic, ['max.message.bytes', 'segment.bytes']);
  const bytes = (setting: TopicLimit['setting']): number => Number(settings[setting] ?? Infinity);
  const setting = bytes('segment.bytes') < bytes('max.message.bytes') ? 'segment.bytes' : 'max.message.bytes';
  return { bytes: bytes(setting), setting };
}

/** Every broker lists the groups that it coordinates. */
export function listGroups(cluster: Cluster, prefix = ''): Promise<GroupInfo[]> {
  return cluster.attempt({}, async () => {
    await cluster.metadata(null);
    const perBroker = await Promise.all(
      cluster.nodes().map(async (broker) => {
        const { errorCode, groups } = await cluster.send(broker, ListGroups, {});
        failLacking(errorCode, onCluster('Describe'));
        const names = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix));
        if (names.length === 0) return [];
        const described = await cluster.send(broker, DescribeGroups, { groupIds: names });
        return described.groups.map(groupInfo);
      }),
    );
    return perBroker.flat().sort((a, b) => (a.group < b.group ? -1 : 1));
  });
}

export function describeGroup(cluster: Cluster, group: string): Promise<GroupInfo> {
  return atCoordinator(cluster, group, async (broker) => {
    const { groups } = await cluster.send(broker, DescribeGroups, {
      groupIds: [group],
    });
    for (const { errorCode } of groups)
      if (errorNamed(errorCode) !== 'GROUP_ID_NOT_FOUND') failLacking(errorCode, onGroup('Describe', group));
    const [first] = groups;
    if (first === undefined) return { group, state: 'Dead', members: [] };
    const info = groupInfo(first);
    if (info.state !== 'Dead') return info;
    // A group on the new protocol (KIP-848) looks dead to this request, yet it is listed.
    const { groups: listed } = await cluster.send(broker, ListGroups, {});
    return listed.some(({ groupId }) => groupId === group) ? { ...info, state: 'Unknown' } : info;
  });
}

const STATES = ['Stable', 'Empty', 'PreparingRebalance', 'CompletingRebalance', 'Dead'] as const;

function groupInfo({
  groupId,
  state,
  members,
}: {
  groupId: string;
  state: string;
  members: GroupInfo['members'];
}): GroupInfo {
  return {
    group: groupId,
    state: STATES.find((known) => known === state) ?? 'Unknown',
    members: members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, clientHost })),
  };
}

/** Partitions without a committed offset are left out; so are topics that do not exist. */
export function committedOffsets(
  cluster: Cluster,
  group: string,
  topics: readonly string[],
): Promise<(TopicPartition & { offset: bigint })[]> {
  return atCoordinator(cluster, group, async (broker) => {
    const wanted = await Promise.all(
      topics.map(async (topic) => ({
        topic,
        partitions: (await partitionsOrNone(cluster, topic)).map((partition) => ({ partition })),
      })),
    );
    const { errorCode, responses } = await cluster.send(broker, OffsetFetch, {
      groupId: group,
      topics: wanted,
    });
    failLacking(errorCode, onGroup('Describe', group));
    const found = responses.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) })),
    );
    return found
      .filter(({ offset }) => offset >= 0n)
      .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
  });
}

async function partitionsOrNone(cluster: Cluster, topic: string): Promise<number[]> {
  const { topicMetadata } = await cluster.metadata([topic]);
  return topicMetadata.flatMap(({ topicErrorCode, partitionMetadata }) => {
    if (errorNamed(topicErrorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION')
      failLacking(topicErrorCode, onTopic('Describe', topic));
    return partitionMetadata.map(({ partitionId }) => partitionId);
  });
}

/** A group that is not there counts as deleted. */
export function deleteGroup(cluster: Cluster, group: string): Promise<void> {
  return atCoordinator(cluster, group, async (broker) => {
    const { results } = await cluster.send(broker, DeleteGroups, [group]);
    for (const { errorCode } of results)
      if (errorNamed(errorCode) !== 'GROUP_ID_NOT_FOUND') failLacking(errorCode, onGroup('Delete', group));
  });
}

function atCoordinator<T>(cluster: Cluster, group: string, work: (broker: Broker) => Promise<T>): Promise<T> {
  return cluster.attempt({ group }, () => cluster.atCoordinator('group', group, work));
}

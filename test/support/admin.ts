/** What an operator does to topics with tools that are not ours. `brokers` are `host:port` each. */
import type { Admin } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { poll } from '../../src/core/deadline.ts';
import { execa } from '../../src/core/exec.ts';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  Kafka,
  ResourcePatternTypes,
  logLevel,
} from './kafkajs.ts';

async function withAdmin(
  brokers: readonly string[],
  work: (admin: Admin) => Promise<unknown>,
): Promise<void> {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Returns when the brokers lead all partitions. @param count how many the topic has then */
export function addPartitions(brokers: readonly string[], topic: string, count: number): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    const areLed = async (): Promise<boolean> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const led = topics[0]?.partitions.filter(({ leader }) => leader >= 0) ?? [];
      return led.length >= count;
    };
    if (!(await poll(areLed, { every: 50, millis: 60_000 })))
      throw new Error(`${topic} has not got ${count} partitions`);
  });
}

/** Removes the records before an offset. */
export function removeBefore(
  brokers: readonly string[],
  { topic, partition }: { topic: string; partition: number },
  offset: number,
): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    // It knows only the leaders of topics that it has asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  });
}

/** Removes all records that a topic has now. */
export function removeAll(brokers: readonly string[], topic: string): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    const ends = await admin.fetchTopicOffsets(topic);
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic, partitions });
  });
}

/** Sets the settings of topics. Those that are not named go back to the broker's defaults. */
export function alterTopics(
  brokers: readonly string[],
  topics: readonly { topic: string; config: Readonly<Record<string, string>> }[],
): Promise<void> {
  const resources = topics.map(({ topic, config }) => ({
    type: ConfigResourceTypes.TOPIC,
    name: topic,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  }));
  return withAdmin(brokers, (admin) => admin.alterConfigs({ validateOnly: false, resources }));
}

/** Writes a record for each value, to one partition. */
export async function produce(
  brokers: readonly string[],
  { topic, partition }: { topic: string; partition: number },
  values: readonly string[],
): Promise<void> {
  const args = ['-P', '-b', brokers.join(','), '-t', topic, '-p', String(partition)];
  await execa('kcat', args, { input: values.map((value) => `${value}\n`).join('') });
}

/** An operation on a resource, by the names of kafkajs, e.g. `['READ', 'TOPIC', 'frontier-adw']`. */
export type Acl = readonly [
  operation: keyof typeof AclOperationTypes,
  type: keyof typeof AclResourceTypes,
  name: string,
];

const entry = (permission: 'ALLOW' | 'DENY', principal: string, [operation, type, resourceName]: Acl) => ({
  resourceType: AclResourceTypes[type],
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal,
  host: '*',
  operation: AclOperationTypes[operation],
  permissionType: AclPermissionTypes[permission],
});

/** Denies a user one operation on a resource, on which it may do everything else. Resolves when the broker goes by it. */
export function deny(brokers: readonly string[], user: string, acl: Acl): Promise<void> {
  const [, type, name] = acl;
  const denial = entry('DENY', `User:${user}`, acl);
  return withAdmin(brokers, async (admin) => {
    await admin.createAcls({ acl: [entry('ALLOW', 'User:*', ['ALL', type, name]), denial] });
    while ((await admin.describeAcls(denial)).resources.length === 0) await sleep(50);
  });
}

/** Takes back what {@link deny} did. */
export function allow(brokers: readonly string[], user: string, acl: Acl): Promise<void> {
  const denial = entry('DENY', `User:${user}`, acl);
  return withAdmin(brokers, async (admin) => {
    await admin.deleteAcls({ filters: [denial] });
    while ((await admin.describeAcls(denial)).resources.length > 0) await sleep(50);
  });
}

/**
 * Makes topics and waits for the leaders of their partitions. The client's own wait fails where it asks a broker that has not
 * heard of the topic yet.
 */
export async function createTopics(
  admin: Admin,
  { topics }: Pick<Parameters<Admin['createTopics']>[0], 'topics'>,
): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const haveLeaders = async (): Promise<boolean> => {
    const known = await admin.fetchTopicMetadata({ topics: names }).catch(() => null);
    return known?.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0)) === true;
  };
  if (!(await poll(haveLeaders, { every: 50, millis: 60_000 })))
    throw new Error(`${names.join(', ')} have no leaders`);
}

/** Why the brokers have no coordinator: a setting of theirs that they cannot meet, which their answers do not name. */
import { topicConfig } from './admin.ts';
import type { Cluster, CoordinatorKind } from './cluster.ts';
import { CoordinatorError } from './failures.ts';
import { type TopicMetadata, DescribeConfigs } from './wire/index.ts';

/** Kafka's own topics, in which the coordinators keep their state. */
const STATE: Record<CoordinatorKind, { topic: string; replication: string }> = {
  group: { topic: '__consumer_offsets', replication: 'offsets.topic.replication.factor' },
  transaction: { topic: '__transaction_state', replication: 'transaction.state.log.replication.factor' },
};

const BROKER_RESOURCE = 4;
const MIN_IN_SYNC = 'min.insync.replicas';

/**
 * Looks for a setting that keeps the brokers from coordinating groups or transactions: their topic for it wants more replicas
 * than there are brokers, so that it is never created, or more in-sync replicas than it has.
 *
 * @returns undefined where there is none, or the settings may not be read
 */
export async function unmetSetting(
  cluster: Cluster,
  kind: CoordinatorKind,
): Promise<CoordinatorError | undefined> {
  const { topic, replication } = STATE[kind];
  try {
    const { brokers, topicMetadata } = await cluster.metadata([topic]);
    const partitions = topicMetadata.flatMap(({ partitionMetadata }) => partitionMetadata);
    if (partitions.length > 0) return await tooFewInSync(cluster, kind, partitions);
    const [first] = brokers;
    const wanted = first === undefined ? NaN : await brokerSetting(cluster, first.nodeId, replication);
    if (!(wanted > brokers.length)) return undefined;
    const running = brokers.length === 1 ? '1 broker is' : `${brokers.length} brokers are`;
    const missing = wanted - brokers.length;
    return new CoordinatorError(`Kafka at ${cluster.brokers.join(', ')} has no ${kind} coordinator`, {
      why: `The brokers' setting ${replication} is ${wanted}, and ${running} running: Kafka cannot create its topic ${topic}.`,
      next: [
        `start ${missing} more ${missing === 1 ? 'broker' : 'brokers'}`,
        `or set ${replication}=${brokers.length} in each broker's server.properties, and restart the brokers`,
      ],
    });
  } catch {
    // What brokers say while they start or stop is not the reason that is looked for.
    return undefined;
  }
}

/** A topic with fewer replicas than the setting wants needs only those that it has (KIP-966). */
async function tooFewInSync(
  cluster: Cluster,
  kind: CoordinatorKind,
  partitions: TopicMetadata['partitionMetadata'],
): Promise<CoordinatorError | undefined> {
  const { topic } = STATE[kind];
  const { [MIN_IN_SYNC]: setting } = await topicConfig(cluster, topic, [MIN_IN_SYNC]);
  const thin = partitions.find(
    ({ isr, replicas }) => isr.length < Math.min(Number(setting), replicas.length),
  );
  if (thin === undefined) return undefined;
  return new CoordinatorError(`Kafka at ${cluster.brokers.join(', ')} has no working ${kind} coordinator`, {
    why: `The setting ${MIN_IN_SYNC} of Kafka's topic ${topic} is ${setting}, and ${thin.isr.length} of its ${thin.replicas.length} replicas are in sync.`,
    next: ['start the brokers that hold its other replicas'],
  });
}

async function brokerSetting(cluster: Cluster, nodeId: number, name: string): Promise<number> {
  const { resources } = await cluster.send(await cluster.node(nodeId), DescribeConfigs, {
    resources: [{ type: BROKER_RESOURCE, name: String(nodeId), configNames: [name] }],
  });
  // None where it may not be read.
  return Number(resources[0]?.configEntries[0]?.configValue ?? NaN);
}

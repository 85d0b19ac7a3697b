import {
  committedOffsets,
  createTopics,
  deleteGroup,
  deleteTopics,
  describeCluster,
  describeGroup,
  listGroups,
  listTopics,
  lookUpTopics,
  roundTrip,
  topicConfig,
  topicLimit,
} from './admin.ts';
import { Cluster } from './cluster.ts';
import { unmetSetting } from './coordinators.ts';
import { joinGroup } from './membership.ts';
import { offsetRanges, offsetsAt } from './offsets.ts';
import { openTransactions } from './open-transactions.ts';
import type { Kafka } from './port.ts';
import { IdempotentProducer, initProducer } from './producer.ts';
import { GrouplessReader } from './reader.ts';
import { openTransactionalProducer } from './transactions.ts';
import { type ConnectionSettings, closedError } from './wire/index.ts';

/**
 * The port over kafkajs's connections and encodings.
 *
 * @throws ServiceError within the connect timeout when no broker answers, or when it refuses our credentials
 */
export async function openKafka(settings: ConnectionSettings, signal?: AbortSignal): Promise<Kafka> {
  const cluster = new Cluster(settings, unmetSetting);
  let own = [cluster];
  /** Connections of its own for a member or a reader, whose requests would make others wait. */
  const separate = (): Cluster => {
    // A call that was under way at close() must not open connections that then stay open.
    if (cluster.isClosed) throw closedError();
    const made = new Cluster(settings, unmetSetting);
    own = [...own.filter(({ isClosed }) => !isClosed), made];
    return made;
  };
  await cluster.connect(signal);
  return {
    brokers: settings.brokers,
    cluster: () => describeCluster(cluster),
    roundTrip: (broker) => roundTrip(cluster, broker),
    topics: (names) => listTopics(cluster, names),
    lookUp: (names) => lookUpTopics(cluster, names),
    createTopics: (specs) => createTopics(cluster, specs),
    deleteTopics: (names) => deleteTopics(cluster, names),
    topicConfig: (topic) => topicConfig(cluster, topic),
    openTransactions: (places) => openTransactions(cluster, places),
    topicLimit: (topic) => topicLimit(cluster, topic),
    offsets: (topic, onTrouble) => offsetRanges(cluster, topic, onTrouble),
    offsetsAt: (topic, at, onTrouble) => offsetsAt(cluster, topic, at, onTrouble),
    groups: (prefix) => listGroups(cluster, prefix),
    describeGroup: (group) => describeGroup(cluster, group),
    committed: (group, topics) => committedOffsets(cluster, group, topics),
    deleteGroup: (group) => deleteGroup(cluster, group),
    producer: async (options) =>
      new IdempotentProducer(cluster, await initProducer(cluster, null, 0), options),
    transactionalProducer: (transactionalId) => openTransactionalProducer(cluster, transactionalId),
    // eslint-disable-next-line @typescript-eslint/require-await -- the port promises
    reader: async (options) => new GrouplessReader(separate(), options),
    join: async (options) => {
      const ofMember = separate();
      try {
        return await joinGroup(ofMember, cluster, options);
      } catch (error) {
        await ofMember.close();
        throw error;
      }
    },
    close: async () => {
      await Promise.all(own.map((each) => each.close()));
    },
  };
}

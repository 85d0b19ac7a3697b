import type { Cluster } from './cluster.ts';
import type { OpenTransaction, TopicPartition, TopicPartitionOffset } from './port.ts';
import {
  type Broker,
  DescribeProducers,
  DescribeTransactions,
  ListTransactions,
  debug,
  failOn,
} from './wire/index.ts';

/** What a partition's leader knows of the transaction. */
type Held = Pick<OpenTransaction, 'offset' | 'since' | 'producerId'>;
/** What its coordinator knows of it. */
type Coordinated = Pick<OpenTransaction, 'transactionalId'> & {
  /** null: the coordinator does not count this transaction as open. */
  times: Pick<OpenTransaction, 'since' | 'endsBy'> | null;
};

/**
 * Finds the oldest open transaction of each partition. What a broker does not tell, because a right is missing or because it does
 * not know the request, stays null.
 *
 * @param places with their last stable offsets
 * @returns without the partitions in which no transaction is open any more
 */
export async function openTransactions(
  cluster: Cluster,
  places: readonly TopicPartitionOffset[],
): Promise<OpenTransaction[]> {
  const found = await Promise.all(
    places.map(async (place) => ({ place, held: await oldestIn(cluster, place) })),
  );
  const producerIds = [...new Set(found.flatMap(({ held }) => held?.producerId ?? []))];
  const owners = producerIds.length === 0 ? [] : await coordinatedBy(cluster, producerIds);
  return found.flatMap(({ place: { topic, partition }, held }) => {
    if (held === undefined) return [];
    const owner = owners.find(({ producerId }) => producerId === held.producerId);
    const { transactionalId = null, times = null } = owner?.of({ topic, partition }) ?? {};
    return [{ topic, partition, endsBy: null, ...held, ...times, transactionalId }];
  });
}

/** undefined: none is open. */
async function oldestIn(
  cluster: Cluster,
  { topic, partition, offset }: TopicPartitionOffset,
): Promise<Held | undefined> {
  try {
    const leader = await cluster.leader(topic, partition);
    const { partitions } = await cluster.send(leader, DescribeProducers, {
      topics: [{ topic, partitions: [partition] }],
    });
    for (const { errorCode } of partitions) failOn(errorCode);
    const [oldest] = partitions
      .flatMap(({ producers }) => producers)
      .filter(({ openSince }) => openSince >= 0n)
      .sort((one, other) => (one.openSince < other.openSince ? -1 : 1));
    if (oldest === undefined) return undefined;
    const { producerId, lastTimestamp, openSince } = oldest;
    return { offset: openSince, since: lastTimestamp < 0n ? null : Number(lastTimestamp), producerId };
  } catch (error) {
    debug('the producers of a partition are not known', { topic, partition, error: String(error) });
    return { offset, since: null, producerId: null };
  }
}

interface TransactionOwner {
  producerId: bigint;
  of(place: TopicPartition): Coordinated;
}

/** Every broker lists the transactions that it coordinates. */
async function coordinatedBy(cluster: Cluster, producerIds: readonly bigint[]): Promise<TransactionOwner[]> {
  try {
    await cluster.metadata([]);
    const perBroker = await Promise.all(
      cluster.nodes().map((broker) => ownersAt(cluster, broker, producerIds)),
    );
    return perBroker.flat();
  } catch (error) {
    debug('transactions are not known', { error: String(error) });
    return [];
  }
}

async function ownersAt(
  cluster: Cluster,
  broker: Broker,
  producerIds: readonly bigint[],
): Promise<TransactionOwner[]> {
  try {
    const { errorCode, transactions: listed } = await cluster.send(broker, ListTransactions, { producerIds });
    failOn(errorCode);
    if (listed.length === 0) return [];
    const { transactions } = await cluster.send(broker, DescribeTransactions, {
      transactionalIds: listed.map(({ transactionalId }) => transactionalId),
    });
    return listed.map(({ transactionalId, producerId }) => ({
      producerId,
      of: ({ topic, partition }) => {
        const described = transactions.find(
          (each) =>
            each.errorCode === 0 &&
            each.transactionalId === transactionalId &&
            each.topics.some((one) => one.topic === topic && one.partitions.includes(partition)),
        );
        const since = Number(described?.startTime ?? -1);
        const times =
          described === undefined || since < 0 ? null : { since, endsBy: since + described.timeout };
        return { transactionalId, times };
      },
    }));
  } catch (error) {
    debug('the transactions of a broker are not known', { broker: broker.address, error: String(error) });
    return [];
  }
}

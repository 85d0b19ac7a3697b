import type { Api, Throttled } from '../api.ts';
import { Packet, Unpacker } from '../packet.ts';

export interface DescribeTransactionsRequest {
  transactionalIds: readonly string[];
}

export interface DescribeTransactionsResponse extends Throttled {
  transactions: DescribedTransaction[];
}

interface DescribedTransaction {
  errorCode: number;
  transactionalId: string;
  /** Milliseconds. */
  timeout: number;
  /** When the last one began, epoch milliseconds. */
  startTime: bigint;
  /** The partitions that the open one writes to; none where none is open. */
  topics: { topic: string; partitions: number[] }[];
}

/** Asked of the coordinator: https://kafka.apache.org/protocol#The_Messages_DescribeTransactions */
export const DescribeTransactions: Api<DescribeTransactionsRequest, DescribeTransactionsResponse> = {
  name: 'DescribeTransactions',
  key: 65,
  versions: { min: 0, max: 0 },
  flexibleFrom: 0,
  encode: ({ transactionalIds }) => {
    const packet = new Packet(64).compactCount(transactionalIds.length);
    for (const transactionalId of transactionalIds) packet.compactString(transactionalId);
    return [packet.tags().buffer];
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const transactions = data.compactArray(() => readTransaction(data));
    return { clientSideThrottleTime, transactions };
  },
};

function readTransaction(data: Unpacker): DescribedTransaction {
  const [errorCode, transactionalId] = [data.int16(), data.compactString()];
  data.compactString(); // state
  const [timeout, startTime] = [data.int32(), data.int64()];
  data.int64(); // producer id
  data.int16(); // epoch
  const topics = data.compactArray(() => {
    const topic = { topic: data.compactString(), partitions: data.compactArray(() => data.int32()) };
    data.tags();
    return topic;
  });
  data.tags();
  return { errorCode, transactionalId, timeout, startTime, topics };
}

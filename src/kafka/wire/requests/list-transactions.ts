import type { Api, Throttled } from '../api.ts';
import { Packet, Unpacker } from '../packet.ts';

export interface ListTransactionsRequest {
  /** Only those of these producers. */
  producerIds: readonly bigint[];
}

export interface ListTransactionsResponse extends Throttled {
  errorCode: number;
  /** Those that this user may describe. */
  transactions: { transactionalId: string; producerId: bigint }[];
}

/** Each broker lists those that it coordinates: https://kafka.apache.org/protocol#The_Messages_ListTransactions */
export const ListTransactions: Api<ListTransactionsRequest, ListTransactionsResponse> = {
  name: 'ListTransactions',
  key: 66,
  versions: { min: 0, max: 0 },
  flexibleFrom: 0,
  encode: ({ producerIds }) => {
    const packet = new Packet(16 + producerIds.length * 8)
      .compactCount(0) // of any state
      .compactCount(producerIds.length);
    for (const producerId of producerIds) packet.int64(producerId);
    return [packet.tags().buffer];
  },
  decode: (body) => {
    const data = new Unpacker(body);
    const clientSideThrottleTime = data.int32();
    const errorCode = data.int16();
    data.compactArray(() => data.compactString()); // unknown states
    const transactions = data.compactArray(() => {
      const transaction = { transactionalId: data.compactString(), producerId: data.int64() };
      data.compactString(); // state
      data.tags();
      return transaction;
    });
    return { clientSideThrottleTime, errorCode, transactions };
  },
};

import { expect, test } from 'vitest';
import { Packet } from '../../../src/kafka/wire/packet.ts';
import { DescribeProducers } from '../../../src/kafka/wire/requests/describe-producers.ts';
import { DescribeTransactions } from '../../../src/kafka/wire/requests/describe-transactions.ts';
import { ListTransactions } from '../../../src/kafka/wire/requests/list-transactions.ts';

const hex = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('hex');
/** Tagged fields that this version does not know: number 7, two bytes. */
const unknownTag = (packet: Packet): Packet => packet.uvarint(1).uvarint(7).uvarint(2).int16(0x0102);

test('DescribeProducers asks for partitions, and reads which transactions are open', async () => {
  const request = { topics: [{ topic: 'ab', partitions: [0, 3] }] };
  // One topic: its name, two partitions, no tags; no tags.
  expect(hex(await DescribeProducers.encode(request, 0))).toBe('0203616203000000000000000300' + '00');
  const packet = new Packet(64).int32(5).compactCount(1).compactString('ab').compactCount(2);
  packet.int32(0).int16(29).compactString('denied').compactCount(0).tags();
  packet.int32(3).int16(0).compactCount(null).compactCount(2);
  packet.int64(4000n).int32(1).int32(9).int64(1_493_394_946_000n).int32(2).int64(42n);
  unknownTag(packet);
  packet.int64(4001n).int32(1).int32(9).int64(-1n).int32(2).int64(-1n).tags();
  packet.tags().tags().tags();
  expect(await DescribeProducers.decode(packet.buffer, 0, request)).toEqual({
    clientSideThrottleTime: 5,
    partitions: [
      { topic: 'ab', partition: 0, errorCode: 29, producers: [] },
      {
        topic: 'ab',
        partition: 3,
        errorCode: 0,
        producers: [
          { producerId: 4000n, lastTimestamp: 1_493_394_946_000n, openSince: 42n },
          { producerId: 4001n, lastTimestamp: -1n, openSince: -1n },
        ],
      },
    ],
  });
});

test('ListTransactions asks for those of producers, and reads their transactional ids', async () => {
  const request = { producerIds: [4000n] };
  expect(hex(await ListTransactions.encode(request, 0))).toBe('01' + '020000000000000fa0' + '00');
  const packet = new Packet(64).int32(0).int16(0).compactCount(1).compactString('Odd').compactCount(1);
  unknownTag(packet.compactString('sales').int64(4000n).compactString('Ongoing')).tags();
  expect(await ListTransactions.decode(packet.buffer, 0, request)).toEqual({
    clientSideThrottleTime: 0,
    errorCode: 0,
    transactions: [{ transactionalId: 'sales', producerId: 4000n }],
  });
});

test('DescribeTransactions asks for transactional ids, and reads since when they are open', async () => {
  const request = { transactionalIds: ['sales'] };
  expect(hex(await DescribeTransactions.encode(request, 0))).toBe('02' + '0673616c6573' + '00');
  const packet = new Packet(64).int32(0).compactCount(1).int16(0).compactString('sales');
  packet.compactString('Ongoing').int32(60_000).int64(1_493_394_946_000n).int64(4000n).int16(1);
  packet.compactCount(1).compactString('ab').compactCount(2).int32(0).int32(3).tags();
  unknownTag(packet).tags();
  expect(await DescribeTransactions.decode(packet.buffer, 0, request)).toEqual({
    clientSideThrottleTime: 0,
    transactions: [
      {
        errorCode: 0,
        transactionalId: 'sales',
        timeout: 60_000,
        startTime: 1_493_394_946_000n,
        topics: [{ topic: 'ab', partitions: [0, 3] }],
      },
    ],
  });
});

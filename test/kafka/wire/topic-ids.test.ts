import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Packet, Unpacker } from '../../../src/kafka/wire/packet.ts';
import { Fetch } from '../../../src/kafka/wire/requests/fetch.ts';
import { Metadata } from '../../../src/kafka/wire/requests/metadata.ts';

/** Bytes as Kafka 4.3's own Java encodes them. */
const ID = 'AAECAwQFBgcICQoLDA0ODw';
const LAST_ID = '_____________________w';

async function hex(pieces: readonly Buffer[] | Promise<readonly Buffer[]>): Promise<string> {
  return Buffer.concat(await pieces).toString('hex');
}

describe('Metadata', () => {
  const named =
    '03000000000000000000000000000000000966726f6e7469657200000000000000000000000000000000000468c3b600';

  test.each([
    [10, `${named}00000000`],
    [11, `${named}000000`],
    [12, `${named}000000`],
  ])('request, version %i', async (version, bytes) => {
    expect(await hex(Metadata.encode({ topics: ['frontier', 'hö'] }, version))).toBe(bytes);
  });

  test.each([
    ['all topics', null, '00000000'],
    ['only the brokers', [], '01000000'],
  ])('request of %s', async (_, topics, bytes) => {
    expect(await hex(Metadata.encode({ topics }, 12))).toBe(bytes);
  });

  const response =
    '0000000303000000010a612e6578616d706c65000023840000000000020a622e6578616d706c6500002385027200' +
    '08636c7573746572000000020300000966726f6e74696572000102030405060708090a0b0c0d0e0f000300000000' +
    '000000000001000000040300000001000000020200000001020000000200000500000001ffffffffffffffff0200' +
    '00000201010080000000000003086e6f77686572650000000000000000000000000000000000018000000000';

  test.each([
    [10, `${response}8000000000`],
    [11, `${response}00`],
    [12, `${response}00`],
  ])('response, version %i', async (version, bytes) => {
    const decoded = await Metadata.decode(Buffer.from(bytes, 'hex'), version, { topics: null });
    expect(decoded).toEqual({
      clientSideThrottleTime: 3,
      brokers: [
        { nodeId: 1, host: 'a.example', port: 9092 },
        { nodeId: 2, host: 'b.example', port: 9093 },
      ],
      clusterId: 'cluster',
      controllerId: 2,
      topicMetadata: [
        {
          topicErrorCode: 0,
          topic: 'frontier',
          topicId: ID,
          partitionMetadata: [
            { partitionErrorCode: 0, partitionId: 0, leader: 1, replicas: [1, 2], isr: [1] },
            { partitionErrorCode: 5, partitionId: 1, leader: -1, replicas: [2], isr: [] },
          ],
        },
        { topicErrorCode: 3, topic: 'nowhere', topicId: 'A'.repeat(22), partitionMetadata: [] },
      ],
    });
  });
});

describe('Fetch, version 13', () => {
  test('a request has the id of the topic', async () => {
    const partitions = [
      { topicId: ID, partition: 0, offset: 42n },
      { topicId: LAST_ID, partition: 1, offset: 0n },
      { topicId: ID, partition: 3, offset: 7n },
    ];
    const sizes = { maxBytes: 4_194_304, maxBytesPerPartition: 524_288 };
    const request = { maxWait: 500, readCommitted: true, ...sizes, partitions };
    expect(await hex(Fetch.encode(request, 13))).toBe(
      'ffffffff000001f400000001004000000100000000ffffffff03' +
        '000102030405060708090a0b0c0d0e0f03' +
        '00000000ffffffff000000000000002affffffffffffffffffffffff0008000000' +
        '00000003ffffffff0000000000000007ffffffffffffffffffffffff000800000000' +
        'ffffffffffffffffffffffffffffffff02' +
        '00000001ffffffff0000000000000000ffffffffffffffffffffffff000800000000' +
        '010100',
    );
  });

  test('a response with a tagged field, and with a topic that was made again, is decoded', async () => {
    const body = Buffer.from(
      '0000000300000000000002000102030405060708090a0b0c0d0e0f03' +
        '00000000000000000000000000090000000000000008000000000000000202000000000000004d000000000000000500' +
        'ffffffff066261746368010109000000020000000600' +
        '000000030064ffffffffffffffffffffffffffffffffffffffffffffffff00ffffffff00000000',
      'hex',
    );
    const request = { maxWait: 0, maxBytes: 0, maxBytesPerPartition: 0, readCommitted: true, partitions: [] };
    expect(await Fetch.decode(body, 13, request)).toEqual({
      clientSideThrottleTime: 3,
      errorCode: 0,
      partitions: [
        {
          topicId: ID,
          partition: 0,
          errorCode: 0,
          highWatermark: 9n,
          lastStableOffset: 8n,
          logStart: 2n,
          aborted: [{ producerId: 77n, firstOffset: 5n }],
          bytes: Buffer.from('batch'),
        },
        {
          topicId: ID,
          partition: 3,
          errorCode: 100,
          highWatermark: -1n,
          lastStableOffset: -1n,
          logStart: -1n,
          aborted: [],
          bytes: Buffer.alloc(0),
        },
      ],
    });
  });
});

test('values that a packet writes are read back', () => {
  const id = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('base64url'));
  fc.assert(
    fc.property(
      id,
      fc.string({ unit: 'grapheme' }),
      fc.nat(),
      fc.array(fc.string()),
      (uuid, text, number, texts) => {
        const packet = new Packet(1)
          .uuid(uuid)
          .compactString(text)
          .uvarint(number)
          .compactCount(texts.length);
        for (const each of texts) packet.compactString(each);
        const data = new Unpacker(packet.compactCount(null).buffer);
        expect(data.uuid()).toBe(uuid);
        expect(data.compactString()).toBe(text);
        expect(data.uvarint()).toBe(number);
        expect(data.compactArray(() => data.compactString())).toEqual(texts);
        expect(data.compactArray(() => data.int8())).toEqual([]);
        expect(data.rest()).toHaveLength(0);
      },
    ),
  );
});

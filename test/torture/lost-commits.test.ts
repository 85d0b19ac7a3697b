import { describe, expect, test } from 'vitest';
import { BatchWriter } from '../../src/kafka/wire/batch-writer.ts';
import { BATCH } from '../../src/kafka/wire/record-batch.ts';
import { leftOutIn, lostCommits } from './lost-commits.ts';
import { textOf } from './partition-log.ts';

const ID = 'hippo.sales';
const EPOCH = 7;
const PREPARED = Date.parse('2026-11-28T17:57:52.064');
const COMPLETED = PREPARED + 9;
const LINE =
  '2026-11-28 17:57:52.070 [TxnMarkerSenderThread-1] INFO kafka.coordinator.transaction.TransactionMarkerChannelManager - ' +
  "[Transaction Marker Channel Manager 1]: Couldn't find leader endpoint for partitions Set(hippo-state-0, frontier-adw-1) " +
  'while trying to send transaction markers for hippo.sales, these partitions are likely deleted already and hence can be skipped';

interface Written {
  key: Buffer | string;
  value: Buffer | string;
  at: number;
  epoch?: number;
  isMarker?: boolean;
}

/** The bytes of a partition: a batch for each of these. */
function partition(written: readonly Written[]): Buffer {
  return Buffer.concat(
    written.map(({ key, value, at, epoch = EPOCH, isMarker = false }, offset) => {
      const writer = new BatchWriter(2 ** 20);
      writer.append(Buffer.from(key), Buffer.from(value), {}, at);
      const bytes = writer.seal({
        producerId: 22_106n,
        producerEpoch: epoch,
        baseSequence: 0,
        transactional: true,
      });
      bytes.writeBigInt64BE(BigInt(offset), BATCH.baseOffset);
      if (isMarker) bytes.writeInt16BE(BATCH.transactional | BATCH.control, BATCH.attributes);
      return bytes;
    }),
  );
}

const record = (at: number): Written => ({ key: 'k', value: 'v', at });

function marker(type: 'abort' | 'commit', at: number, epoch = EPOCH): Written {
  return {
    key: Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]),
    value: Buffer.alloc(6),
    at,
    epoch,
    isMarker: true,
  };
}

function step(state: number, at: number, epoch = EPOCH): Written {
  const value = Buffer.alloc(17);
  value.writeBigInt64BE(22_106n, 2);
  value.writeInt16BE(epoch, 10);
  value[16] = state;
  return { key: Buffer.concat([Buffer.from([0, 0, 0, ID.length]), Buffer.from(ID)]), value, at };
}

const [ONGOING, PREPARE_COMMIT, COMPLETE_COMMIT] = [1, 2, 4];

/** The next owner has aborted the transaction after the one that is lost. */
function found(state: readonly Written[], frontier: readonly Written[] | null, isComplete = true): string[] {
  const log = [
    step(ONGOING, PREPARED - 30),
    step(PREPARE_COMMIT, PREPARED),
    ...(isComplete ? [step(COMPLETE_COMMIT, COMPLETED)] : []),
    step(ONGOING, COMPLETED + 10),
  ];
  const partitions = new Map([
    ['__transaction_state-0', partition(log)],
    ['hippo-state-0', partition(state)],
    ...(frontier === null ? [] : [['frontier-adw-1', partition(frontier)] as const]),
  ]);
  return lostCommits([leftOutIn(LINE, ID) ?? { at: 0, partitions: [] }], ID, partitions);
}

const LATER = COMPLETED + 17_000;
const LOST = [record(PREPARED - 14), marker('abort', LATER, EPOCH + 1)];
const WHOLE = [
  record(PREPARED - 14),
  marker('commit', PREPARED + 3),
  record(LATER),
  marker('abort', LATER + 9, EPOCH + 1),
];

describe('commits that Kafka has lost', () => {
  test('are those without a marker in a partition that has their records', () => {
    const [lost, ...more] = found(LOST, WHOLE);
    expect(lost).toMatch(/^hippo-state-0 has no marker of the commit of hippo.sales at .*epoch 7\)$/);
    expect(more).toEqual([]);
    expect(found(LOST, LOST)).toHaveLength(2);
  });

  test.each([
    ['all partitions have their markers', found(WHOLE, WHOLE)],
    ['the partition was deleted', found(WHOLE, null)],
    ['the partition was made again since', found(WHOLE, [record(LATER)])],
    ['the transaction was not completed: its next coordinator writes the markers', found(LOST, LOST, false)],
  ])('are none where %s', (_, lost) => {
    expect(lost).toEqual([]);
  });

  test('are told only of the transactional id that is asked for', () => {
    expect(leftOutIn(LINE, 'hippo.sale')).toBeUndefined();
    expect(leftOutIn(LINE.replace('leader endpoint', 'it'), ID)).toBeUndefined();
    expect(leftOutIn(LINE.replace('Set(', 'HashSet('), ID)?.partitions).toHaveLength(2);
  });
});

test('a partition is written as text, with the markers of its transactions', () => {
  const lines = textOf(partition(LOST), 'hippo-state').split('\n');
  expect(lines.map((line) => line.replace(/ 2026-\S+/, ''))).toEqual([
    '0-0 leader epoch -1, producer 22106 epoch 7: in a transaction',
    "    0 'k' = 'v'",
    '1-1 leader epoch -1, producer 22106 epoch 8: ABORT',
    '',
  ]);
});

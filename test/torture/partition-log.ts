/** What the broker has on its disk of a partition: also what was aborted, and the markers that end transactions. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import {
  BATCH,
  type Batch,
  BatchRecords,
  batchAt,
  isAbortMarker,
  isControl,
  isTransactional,
} from '../../src/kafka/wire/record-batch.ts';

export const TRANSACTION_LOG = '__transaction_state';

export interface LoggedBatch extends Batch {
  /** Epoch milliseconds: of the last record, or when the marker was written. */
  time: number;
  producerEpoch: number;
  kind: 'data' | 'in a transaction' | 'COMMIT' | 'ABORT';
}

/** What the transaction log says of a transactional id. */
export interface TransactionStep {
  transactionalId: string;
  producerId: bigint;
  producerEpoch: number;
  state: string;
  time: number;
}

/** By the number in the coordinator's records. */
const TRANSACTION_STATES = [
  ...['empty', 'ongoing', 'prepare commit', 'prepare abort', 'complete commit', 'complete abort'],
  ...['dead', 'prepare epoch fence'],
];
/** Of a value, characters. */
const MOST = 300;

/**
 * The partitions of these topics and of the transaction log: `<topic>-<partition>`, and the bytes of its segments.
 *
 * @param data the broker's `log.dirs`
 */
export async function readPartitions(data: string, topics: readonly string[]): Promise<Map<string, Buffer>> {
  const wanted = new Set([...topics, TRANSACTION_LOG]);
  const folders = (await readdir(data)).filter((folder) => wanted.has(topicOf(folder)));
  const read = folders.map(async (folder) => {
    const segments = (await readdir(join(data, folder))).filter((name) => name.endsWith('.log')).sort();
    const bytes = await Promise.all(segments.map((name) => readFile(join(data, folder, name))));
    return [folder, Buffer.concat(bytes)] as const;
  });
  return new Map(await Promise.all(read));
}

/** @param partition `<topic>-<partition>` */
export function topicOf(partition: string): string {
  return partition.replace(/-\d+$/, '');
}

/** In the order of their offsets. What is cut off at the end is left out: the broker may be writing. */
export function* batchesOf(bytes: Buffer): Generator<LoggedBatch> {
  for (let batch = batchAt(bytes, 0); batch !== undefined; batch = batchAt(bytes, batch.end)) {
    yield {
      ...batch,
      time: Number(bytes.readBigInt64BE(batch.start + BATCH.maxTimestamp)),
      producerEpoch: bytes.readInt16BE(batch.start + BATCH.producerEpoch),
      kind: kindOf(bytes, batch),
    };
  }
}

function kindOf(bytes: Buffer, batch: Batch): LoggedBatch['kind'] {
  if (isControl(batch)) return isAbortMarker(bytes, batch) ? 'ABORT' : 'COMMIT';
  return isTransactional(batch) ? 'in a transaction' : 'data';
}

/** @param bytes of a partition of the transaction log */
export function stepsOf(bytes: Buffer): TransactionStep[] {
  return [...batchesOf(bytes)].flatMap((batch) =>
    recordsOf(bytes, batch, TRANSACTION_LOG).flatMap((record) => stepOf(record, batch.time) ?? []),
  );
}

function stepOf({ key, value }: KafkaRecord, time: number): TransactionStep | undefined {
  if (key === null || value === null) return undefined;
  // Key: version (2 bytes), length (2), id. Value: version (2), producer id (8), its epoch (2), timeout (4), state (1), …
  return {
    transactionalId: key.subarray(4).toString(),
    producerId: value.readBigInt64BE(2),
    producerEpoch: value.readInt16BE(10),
    state: TRANSACTION_STATES[value[16] ?? -1] ?? 'unknown',
    time,
  };
}

/** A line for each batch, and one for each of its records. */
export function textOf(bytes: Buffer, topic: string): string {
  const lines = [...batchesOf(bytes)].flatMap((batch) => {
    const { baseOffset, lastOffset, producerId, producerEpoch, time, kind } = batch;
    const leaderEpoch = bytes.readInt32BE(batch.start + BATCH.leaderEpoch);
    const head = `${baseOffset}-${lastOffset} ${new Date(time).toISOString()} leader epoch ${leaderEpoch}, producer ${producerId} epoch ${producerEpoch}: ${kind}`;
    if (kind === 'COMMIT' || kind === 'ABORT') return [head];
    return [head, ...recordsOf(bytes, batch, topic).map((record) => `    ${lineOf(record, time)}`)];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function recordsOf(bytes: Buffer, batch: Batch, topic: string): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  const wanted = { topic, partition: 0, from: batch.baseOffset, until: batch.lastOffset + 1 };
  new BatchRecords(bytes, batch, wanted).read(records, Number.POSITIVE_INFINITY);
  return records;
}

function lineOf(record: KafkaRecord, time: number): string {
  const { topic, offset, key, value } = record;
  const step = topic === TRANSACTION_LOG ? stepOf(record, time) : undefined;
  if (step === undefined) return `${offset} ${printable(key)} = ${printable(value)}`;
  const { transactionalId, producerId, producerEpoch, state } = step;
  return `${offset} ${transactionalId}: producer ${producerId} epoch ${producerEpoch} ${state}`;
}

function printable(bytes: Buffer | null): string {
  return bytes === null ? 'null' : inspect(bytes.toString().slice(0, MOST), { breakLength: Infinity });
}

import type { KafkaRecord } from '../port.ts';
import { BatchWriter } from './batch-writer.ts';
import { BATCH, BatchRecords, batchAt, isTransactional } from './record-batch.ts';

/** A half of a batch. */
export interface Half {
  writer: BatchWriter;
  sealed: Buffer;
}

/** Sequences are 32 bit and wrap around to 0. */
const SEQUENCES = 2 ** 31;

/**
 * Splits a sealed batch of two or more records into two: each record keeps its bytes, its timestamp and its sequence number, so the
 * broker still sees every record once and in order.
 *
 * @param sealed what {@link BatchWriter.seal} has made
 */
export function splitBatch(sealed: Buffer): [first: Half, second: Half] {
  const batch = batchAt(sealed, 0);
  if (batch === undefined) throw new RangeError('the batch is cut off');
  const records: KafkaRecord[] = [];
  new BatchRecords(sealed, batch, { topic: '', partition: 0, from: 0, until: Infinity }).read(
    records,
    Infinity,
  );
  const origin = {
    producerId: batch.producerId,
    producerEpoch: sealed.readInt16BE(BATCH.producerEpoch),
    transactional: isTransactional(batch),
  };
  const baseSequence = sealed.readInt32BE(BATCH.baseSequence);
  const half = (from: number, to: number): Half => {
    const writer = new BatchWriter(Infinity, Buffer.allocUnsafe(sealed.length));
    for (const { key, value, headers, timestamp } of records.slice(from, to))
      writer.append(key, value, headers, timestamp);
    return { writer, sealed: writer.seal({ ...origin, baseSequence: (baseSequence + from) % SEQUENCES }) };
  };
  const middle = Math.ceil(records.length / 2);
  return [half(0, middle), half(middle, records.length)];
}

import { isList, listHeaders } from '../core/headers.ts';
import type { Headers, OutgoingRecord } from './port.ts';
import { BatchWriter } from './wire/index.ts';

/** More than a record has around its key, value and headers, bytes. */
const OVERHEAD = 256;
/** More than a header has around its name and value, bytes. */
const HEADER_OVERHEAD = 16;
/** UTF-8 has at most so many bytes for a unit of a JavaScript string. */
const UTF8 = 3;

/**
 * Whether the record alone in its batch has at most so many bytes: brokers compare a batch with the topic's limit.
 *
 * @returns the size of that batch where it has more, undefined where it fits
 */
export function sizeAbove(record: OutgoingRecord, limit: number): number | undefined {
  if (atMost(record) <= limit) return undefined;
  const size = batchSize(record);
  return size > limit ? size : undefined;
}

function atMost({ key, value, headers = {} }: OutgoingRecord): number {
  return listHeaders(headers).reduce(
    (bytes, [name, one]) => bytes + HEADER_OVERHEAD + bound(name) + bound(one),
    OVERHEAD + bound(key ?? null) + bound(value),
  );
}

function bound(value: Buffer | string | null): number {
  if (value === null) return 0;
  return typeof value === 'string' ? value.length * UTF8 : value.length;
}

/** Of the batch that holds only this record, bytes. */
export function batchSize({ key, value, headers }: OutgoingRecord): number {
  const writer = new BatchWriter(Infinity);
  writer.append(bytesOf(key ?? null), bytesOf(value), headersOf(headers), 0);
  return writer.size;
}

/** Strings as UTF-8. */
export function bytesOf(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** Strings as UTF-8. */
export function headersOf(headers: OutgoingRecord['headers']): Headers | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isList(value) ? value.map(bytesOf) : bytesOf(value),
    ]),
  );
}

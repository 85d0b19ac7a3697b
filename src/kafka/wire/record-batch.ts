import { ServiceError } from '../../core/errors.ts';
import { decompress } from './compression.ts';
import type { HeaderValue, Headers, KafkaRecord } from '../port.ts';

/**
 * Where the fields of Kafka's record batch, version 2, are (https://kafka.apache.org/documentation/#recordbatch), and
 * its flags.
 */
export const BATCH = {
  baseOffset: 0,
  /** Of what comes after it. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  /** CRC-32C from the attributes to the end. */
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
  /** Flags among the attributes. */
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

/**
 * A batch inside the bytes of a fetch. Offsets stay below 2^53: a partition would need 285 years at a million records a
 * second.
 */
export interface Batch {
  /** Where it starts and ends in the bytes. */
  start: number;
  end: number;
  baseOffset: number;
  /** Compaction removes records, never this. */
  lastOffset: number;
  attributes: number;
  producerId: bigint;
}

/**
 * The batch that starts at `start`.
 *
 * @returns undefined where the rest of the bytes is cut off in the middle of a batch, as a fetch may end
 * @throws ServiceError for the message formats of Kafka before 0.11
 */
export function batchAt(bytes: Buffer, start: number): Batch | undefined {
  if (start + BATCH.records > bytes.length) return undefined;
  const end = start + BATCH.leaderEpoch + bytes.readInt32BE(start + BATCH.length);
  if (bytes[start + BATCH.magic] !== 2) {
    throw new ServiceError(`a message of format ${bytes[start + BATCH.magic] ?? 0} cannot be read`, {
      why: 'it was written by a Kafka before 0.11',
    });
  }
  if (end > bytes.length) return undefined;
  const baseOffset = Number(bytes.readBigInt64BE(start));
  return {
    start,
    end,
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(start + BATCH.lastOffsetDelta),
    attributes: bytes.readInt16BE(start + BATCH.attributes),
    producerId: bytes.readBigInt64BE(start + BATCH.producerId),
  };
}

export function isControl(batch: Batch): boolean {
  return (batch.attributes & BATCH.control) !== 0;
}

export function isTransactional(batch: Batch): boolean {
  return (batch.attributes & BATCH.transactional) !== 0;
}

/** Whether a control batch ends its producer's transaction by an abort (else by a commit). */
export function isAbortMarker(bytes: Buffer, batch: Batch): boolean {
  const cursor = new Cursor(bytes, batch.start + BATCH.records);
  cursor.varint(); // length
  cursor.at += 1; // attributes
  cursor.varlong(); // timestamp delta
  cursor.varint(); // offset delta
  cursor.varint(); // key length
  // The key is a version and a type, two bytes each; type 0 is an abort.
  return bytes.readInt16BE(cursor.at + 2) === 0;
}

const NO_HEADERS: Headers = Object.freeze({});

/** Which records of a partition are wanted: from `from` up to but not including `until`. */
export interface Wanted {
  topic: string;
  topicId?: string;
  partition: number;
  from: number;
  until: number;
}

/** The records of a batch, decoded as far as they are asked for: a batch of a megabyte makes thousands of objects. */
export class BatchRecords {
  readonly #batch: Batch;
  readonly #wanted: Wanted;
  readonly #cursor: Cursor;
  readonly #baseTimestamp: number;
  /** Instead of the records' own timestamps, where the broker sets them. */
  readonly #appendTime: number | undefined;
  #left: number;
  #next: number;

  constructor(bytes: Buffer, batch: Batch, wanted: Wanted) {
    const { start, end, attributes, baseOffset } = batch;
    this.#batch = batch;
    this.#wanted = wanted;
    this.#left = bytes.readInt32BE(start + BATCH.count);
    this.#next = baseOffset;
    this.#baseTimestamp = Number(bytes.readBigInt64BE(start + BATCH.baseTimestamp));
    this.#appendTime =
      (attributes & BATCH.logAppendTime) === 0
        ? undefined
        : Number(bytes.readBigInt64BE(start + BATCH.maxTimestamp));
    const codec = attributes & BATCH.codec;
    this.#cursor =
      codec === 0
        ? new Cursor(bytes, start + BATCH.records)
        : new Cursor(decompress(codec, bytes.subarray(start + BATCH.records, end)), 0);
  }

  /** Whether all that is wanted has been read. */
  get done(): boolean {
    return this.#left === 0;
  }

  /** The offset after what has been read; at the end that after the batch, past what compaction has removed. */
  get next(): number {
    return this.done ? this.#batch.lastOffset + 1 : this.#next;
  }

  /**
   * Appends wanted records until about `budget` bytes have been gone through. Keys, values and headers are views of the
   * fetched bytes
   * (of the decompressed ones where the batch is compressed).
   *
   * @returns how many bytes were gone through
   */
  read(into: KafkaRecord[], budget: number): number {
    const { topic, topicId, partition, from, until } = this.#wanted;
    const cursor = this.#cursor;
    const began = cursor.at;
    while (this.#left > 0 && cursor.at - began < budget) {
      this.#left--;
      const size = cursor.varint();
      const end = cursor.at + size;
      cursor.at += 1; // attributes: none are defined
      const timestamp = this.#baseTimestamp + cursor.varlong();
      const offset = this.#batch.baseOffset + cursor.varint();
      if (offset >= until) this.#left = 0;
      else if (offset >= from) {
        into.push({
          topic,
          topicId,
          partition,
          offset: BigInt(offset),
          timestamp: this.#appendTime ?? timestamp,
          key: cursor.bytesOrNull(),
          value: cursor.bytesOrNull(),
          headers: cursor.headers(),
        });
      }
      this.#next = offset + 1;
      cursor.at = end;
    }
    return cursor.at - began;
  }
}

/** Reads Kafka's zigzag varints (as Protocol Buffers' sint32 and sint64). */
class Cursor {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] as number;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Exact up to 2^53. */
  varlong(): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytesOrNull(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.at += length;
    return this.#bytes.subarray(from, from + length);
  }

  headers(): Headers {
    const count = this.varint();
    if (count === 0) return NO_HEADERS;
    const headers: Record<string, HeaderValue> = {};
    for (let index = 0; index < count; index += 1) {
      const name = (this.bytesOrNull() ?? Buffer.alloc(0)).toString('utf8');
      const value = this.bytesOrNull();
      const isAgain = Object.hasOwn(headers, name);
      // A header may be named __proto__; assigning it would set the object's prototype.
      if (isAgain || name === '__proto__') {
        const before = isAgain ? [headers[name] ?? null].flat() : [];
        Object.defineProperty(headers, name, {
          value: isAgain ? [...before, value] : value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } else headers[name] = value;
    }
    return headers;
  }
}

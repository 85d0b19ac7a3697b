import { crc32c } from './crc32c.ts';
import { listHeaders } from '../../core/headers.ts';
import type { Headers } from '../port.ts';
import { BATCH } from './record-batch.ts';

/** Who writes a batch, and its place in the order of that producer's records of the partition. */
export interface BatchOrigin {
  producerId: bigint;
  producerEpoch: number;
  baseSequence: number;
  transactional: boolean;
}

/** A record whose value is what stands in `bytes` from `from` up to `to`; no bytes: null. */
export interface RecordPart {
  key: Uint8Array | null;
  bytes: Uint8Array | null;
  from: number;
  to: number;
  /** The same object again costs nothing. */
  headers?: Headers | undefined;
  /** Epoch milliseconds. */
  timestamp: number;
}

/**
 * Builds one record batch (version 2) straight from bytes: no object a record, one copy of each key and value.
 *
 * The layout is checked record by record against kafkajs's encoder, and by what kcat and a broker make of it.
 */
export class BatchWriter {
  /** How many records it holds. */
  count = 0;
  readonly #limit: number;
  #bytes: Buffer;
  #at: number = BATCH.records;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #headers: Headers | undefined;
  #encodedHeaders: Buffer = NO_HEADERS;

  /**
   * @param limit bytes that the batch may have; a first record that is larger is taken all the same
   * @param memory used for the batch while it suffices; `limit` bytes of it never have to grow
   */
  constructor(limit: number, memory: Buffer = Buffer.allocUnsafe(1024)) {
    this.#limit = limit;
    this.#bytes = memory;
  }

  get size(): number {
    return this.#at;
  }

  /** The memory in use, to be used again when the batch is acknowledged. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /**
   * @param headers the same object again costs nothing
   * @param timestamp epoch milliseconds
   * @returns false when the batch is full: nothing was written
   */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers | undefined,
    timestamp: number,
  ): boolean {
    return this.appendPart({ key, bytes: value, from: 0, to: value?.length ?? 0, headers, timestamp });
  }

  /** The same, with a value that is a part of `bytes`. */
  appendPart({ key, bytes, from, to, headers, timestamp }: RecordPart): boolean {
    if (this.count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp;
    if (headers !== this.#headers) {
      this.#headers = headers;
      this.#encodedHeaders = encodeHeaders(headers);
    }
    const timestampDelta = timestamp - this.#baseTimestamp;
    const keyLength = key === null ? -1 : key.length;
    const valueLength = bytes === null ? -1 : to - from;
    const size =
      1 + // attributes
      varlongSize(timestampDelta) +
      varintSize(this.count) +
      varintSize(keyLength) +
      Math.max(keyLength, 0) +
      varintSize(valueLength) +
      Math.max(valueLength, 0) +
      this.#encodedHeaders.length;
    const end = this.#at + varintSize(size) + size;
    if (end > this.#limit && this.count > 0) return false;
    if (end > this.#bytes.length) this.#grow(end);
    this.#varint(size);
    this.#bytes[this.#at++] = 0;
    this.#varlong(timestampDelta);
    this.#varint(this.count);
    this.#varint(keyLength);
    if (key !== null) this.#raw(key, 0, keyLength);
    this.#varint(valueLength);
    if (bytes !== null) this.#raw(bytes, from, to);
    this.#raw(this.#encodedHeaders, 0, this.#encodedHeaders.length);
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    this.count += 1;
    return true;
  }

  /** The bytes of the batch. Nothing can be appended after this. */
  seal({ producerId, producerEpoch, baseSequence, transactional }: BatchOrigin): Buffer {
    const bytes = this.#bytes.subarray(0, this.#at);
    bytes.writeBigInt64BE(0n, BATCH.baseOffset);
    bytes.writeInt32BE(bytes.length - BATCH.leaderEpoch, BATCH.length);
    bytes.writeInt32BE(-1, BATCH.leaderEpoch);
    bytes.writeInt8(2, BATCH.magic);
    bytes.writeInt16BE(transactional ? BATCH.transactional : 0, BATCH.attributes);
    bytes.writeInt32BE(this.count - 1, BATCH.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(this.#baseTimestamp), BATCH.baseTimestamp);
    bytes.writeBigInt64BE(BigInt(this.#maxTimestamp), BATCH.maxTimestamp);
    bytes.writeBigInt64BE(producerId, BATCH.producerId);
    bytes.writeInt16BE(producerEpoch, BATCH.producerEpoch);
    bytes.writeInt32BE(baseSequence, BATCH.baseSequence);
    bytes.writeInt32BE(this.count, BATCH.count);
    bytes.writeUInt32BE(crc32c(bytes.subarray(BATCH.attributes)), BATCH.crc);
    return bytes;
  }

  #raw(value: Uint8Array, from: number, to: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    const length = to - from;
    // A call out of JavaScript costs more than a few bytes do, and a view of a part more than a copy.
    if (length <= SHORT)
      for (let index = 0; index < length; index += 1) bytes[at + index] = value[from + index] as number;
    else if (length < value.length && Buffer.isBuffer(value)) value.copy(bytes, at, from, to);
    else bytes.set(value.subarray(from, to), at);
    this.#at = at + length;
  }

  #varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  #varlong(value: number): void {
    let rest = zigzag(value);
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

const NO_HEADERS = Buffer.from([0]);
/** Bytes. */
const SHORT = 32;
function encodeHeaders(headers: Headers | undefined): Buffer {
  const entries = listHeaders(headers ?? {});
  if (entries.length === 0) return NO_HEADERS;
  const parts = [varint(entries.length)];
  for (const [name, value] of entries) {
    const bytes = Buffer.from(name);
    parts.push(varint(bytes.length), bytes, varint(value?.length ?? -1));
    if (value !== null) parts.push(value);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = zigzag(value);
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Exact up to 2^52. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function varintSize(value: number): number {
  return varlongSize(value);
}

function varlongSize(value: number): number {
  const rest = zigzag(value);
  if (rest < 0x80) return 1;
  if (rest < 0x4000) return 2;
  if (rest < 0x20_0000) return 3;
  if (rest < 0x1000_0000) return 4;
  let size = 5;
  for (let most = 2 ** 35; rest >= most; most *= 128) size += 1;
  return size;
}

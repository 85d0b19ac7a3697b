import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import type * as Lz4 from 'lz4-napi';
import type * as Snappy from 'snappy';
import { ServiceError } from '../../core/errors.ts';

const load = createRequire(import.meta.url);

/** The codecs of Kafka's record batches, by the number in a batch's attributes. */
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * The records of a compressed batch. The native codecs are loaded when the first such batch is read.
 *
 * @param codec the lowest three bits of the batch's attributes
 * @throws ServiceError for a codec that is unknown, or that this version of Node lacks
 */
export function decompress(codec: number, bytes: Buffer): Buffer {
  switch (CODECS[codec]) {
    case 'none':
      return bytes;
    case 'gzip':
      return zlib.gunzipSync(bytes);
    case 'snappy':
      return unsnappy(bytes);
    case 'lz4':
      return (load('lz4-napi') as typeof Lz4).decompressFrameSync(bytes);
    case 'zstd':
      return unzstd(bytes);
    default:
      throw new ServiceError(`a record batch is compressed by an unknown codec (${codec})`);
  }
}

function unzstd(bytes: Buffer): Buffer {
  // Node 22 has zstd from 22.15 on.
  if (typeof (zlib as Partial<typeof zlib>).zstdDecompressSync !== 'function') {
    throw new ServiceError('a record batch is compressed by zstd, which this Node cannot read', {
      why: `this is Node ${process.versions.node}`,
      next: ['use Node 22.15 or newer'],
    });
  }
  return zlib.zstdDecompressSync(bytes);
}

/** The frame that Java's snappy writes around its blocks; librdkafka writes one block without it. */
const SNAPPY_JAVA = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const SNAPPY_JAVA_HEADER = 16;

function unsnappy(bytes: Buffer): Buffer {
  const { uncompressSync } = load('snappy') as typeof Snappy;
  const block = (from: number, to: number): Buffer =>
    uncompressSync(bytes.subarray(from, to), { asBuffer: true }) as Buffer;
  if (!bytes.subarray(0, SNAPPY_JAVA.length).equals(SNAPPY_JAVA)) return block(0, bytes.length);
  const blocks: Buffer[] = [];
  for (let at = SNAPPY_JAVA_HEADER; at + 4 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    blocks.push(block(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

import { createRequire } from 'node:module';
import type * as NativeCrc32 from '@node-rs/crc32';
import tableCrc32c from 'kafkajs/src/protocol/recordBatch/crc32C/index.js';

const load = createRequire(import.meta.url);
let native: ((bytes: Uint8Array) => number) | undefined;

/** Below this, loading the native code costs more than it saves. */
const WORTH_NATIVE = 64 * 1024;

/** CRC-32C (Castagnoli) of the bytes, unsigned. Node's own `zlib.crc32` is another polynomial. */
export function crc32c(bytes: Buffer): number {
  if (native === undefined && bytes.length < WORTH_NATIVE) return tableCrc32c(bytes) >>> 0;
  native ??= (load('@node-rs/crc32') as typeof NativeCrc32).crc32c;
  return native(bytes);
}

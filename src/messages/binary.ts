/** What bytes are that are not JSON, by how they begin: a reason that tells an operator what the producer sent. */
import { wideEncoding } from '../core/encoding.ts';

/** https://www.rfc-editor.org/rfc/rfc1952, https://www.rfc-editor.org/rfc/rfc8878, the LZ4 frame format. */
const COMPRESSIONS: readonly (readonly [magic: readonly number[], name: string])[] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
];
/** A schema registry's serialisers write 0x00, the schema's id in four bytes, and then the data. */
const FRAME = 5;
const SHOWN_BYTES = 8;
/** Control characters that no text begins with. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const LOOKED_AT = 16;

/**
 * @param bytes that are not UTF-8 or not JSON
 * @param text them as UTF-8; undefined: they are not
 * @returns undefined for what is text, about which the parser says more
 */
export function binaryReason(bytes: Uint8Array, text: string | undefined): string | undefined {
  const compression = COMPRESSIONS.find(([magic]) =>
    magic.every((byte, index) => bytes[index] === byte),
  )?.[1];
  if (compression !== undefined) return `is compressed with ${compression}; it must be JSON`;
  const schema = schemaId(bytes);
  if (schema !== undefined && '{["'.includes(String.fromCharCode(bytes[FRAME] ?? 0)))
    return `is framed by a schema registry (0x00 and schema id ${schema} before the JSON); it must be JSON alone`;
  const encoding = schema === undefined ? wideEncoding(bytes) : undefined;
  if (encoding !== undefined) return `is ${encoding}; it must be UTF-8`;
  const start = String.fromCharCode(...bytes.subarray(0, LOOKED_AT));
  // A stray byte in the midst of a text: its beginning would tell nothing.
  if (!CONTROL.test(start) && (text !== undefined || (bytes.length > LOOKED_AT && !/[^\0-\x7f]/.test(start))))
    return undefined;
  const what = text === undefined ? 'is not UTF-8' : 'is not JSON';
  const perhaps =
    schema === undefined ? '' : `, perhaps a schema registry's framing with schema id ${schema}`;
  return `${what}; it begins with the bytes ${hex(bytes.subarray(0, SHOWN_BYTES))}${perhaps}`;
}

/** undefined where the bytes are not framed by a schema registry, or begin as UTF-16 and UTF-32 do. */
function schemaId(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0 || bytes.length <= FRAME) return undefined;
  const [, first = 0, second = 0, third = 0, fourth = 0] = bytes;
  const isUtf16 = first !== 0 && second === 0 && third !== 0 && fourth === 0;
  const isUtf32 = first === 0 && second === 0 && third !== 0 && fourth === 0 && bytes[FRAME] === 0;
  if (isUtf16 || isUtf32) return undefined;
  return ((first * 256 + second) * 256 + third) * 256 + fourth;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

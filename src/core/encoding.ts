import { shellWord } from './shell.ts';

/** The byte order mark of UTF-8, which some editors put before a text; it is no part of it. */
export const UTF8_BOM: Uint8Array = Uint8Array.of(0xef, 0xbb, 0xbf);

type Start = readonly (number | 'nul' | 'any')[];

/** How a text begins: with a byte order mark, or with an ASCII character, as JSON, YAML, PEM and scripts do. */
const STARTS: readonly (readonly [start: Start, name: string])[] = [
  [[0xff, 0xfe, 'nul', 'nul'], 'UTF-32'],
  [['nul', 'nul', 0xfe, 0xff], 'UTF-32'],
  [[0xff, 0xfe], 'UTF-16'],
  [[0xfe, 0xff], 'UTF-16'],
  [['any', 'nul', 'nul', 'nul'], 'UTF-32LE'],
  [['nul', 'nul', 'nul', 'any'], 'UTF-32BE'],
  [['any', 'nul', 'any', 'nul'], 'UTF-16LE'],
  [['nul', 'any', 'nul', 'any'], 'UTF-16BE'],
];

/** The name of the encoding, as iconv takes it, where the bytes are no UTF-8 but another Unicode encoding. */
export function wideEncoding(bytes: Uint8Array): string | undefined {
  return STARTS.find(([start]) => start.every((expected, index) => fits(bytes[index], expected)))?.[1];
}

function fits(byte: number | undefined, expected: Start[number]): boolean {
  if (byte === undefined) return false;
  if (expected === 'any') return byte !== 0;
  return byte === (expected === 'nul' ? 0 : expected);
}

/** The bytes of a file that are not the UTF-8 that they must be. */
export class EncodingError extends Error {
  /** As iconv takes it; undefined: not known. */
  readonly encoding: string | undefined;

  constructor(encoding?: string) {
    super(encoding === undefined ? 'it is not UTF-8' : `it is ${encoding}; it must be UTF-8`);
    this.encoding = encoding;
  }
}

/**
 * The text of a file, without a byte order mark.
 *
 * @param lenient takes single bytes that are not UTF-8, as in the comments of a certificate
 * @throws EncodingError
 */
export function decodeText(bytes: Uint8Array, lenient = false): string {
  const encoding = wideEncoding(bytes);
  if (encoding !== undefined) throw new EncodingError(encoding);
  try {
    return new TextDecoder('utf-8', { fatal: !lenient }).decode(bytes);
  } catch {
    throw new EncodingError();
  }
}

/** The command that writes the file again in UTF-8, beside it. */
export function toUtf8Command(file: string, encoding: string): string {
  return `iconv -f ${encoding} -t UTF-8 ${shellWord(file)} > ${shellWord(`${file}.utf8`)}`;
}

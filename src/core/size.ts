/** What a size looks like, for error messages. */
export const SIZE_FORM = 'a size such as 500kB, 64MiB or 2GB';

const UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;

const AMOUNT = /^(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)$/;
const LONGEST = 40;

/**
 * Reads `64MiB`, `500 kB`, `1.5GB`, …, in any case; a bare number is bytes. `M` and `G` alone are refused: some programs mean
 * powers of 1000 by them, and others powers of 1024.
 *
 * @returns bytes, or undefined when the text is not a size
 */
export function parseSize(text: string): number | undefined {
  const [, count = '', word = ''] = readAmount(text) ?? [];
  const unit = /^(b|bytes?)?$/i.test(word) ? 1 : bytesOf(word);
  if (count === '' || unit === undefined) return undefined;
  const bytes = Math.round(Number(count) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** {@link SIZE_FORM}, and what the text that was refused may have been meant to be. */
export function sizeForm(refused: string): string {
  const [, count = '', word = ''] = readAmount(refused) ?? [];
  const letter = /^[kmgt]$/i.test(word) ? word.toUpperCase() : undefined;
  if (letter === undefined) return SIZE_FORM;
  return `${SIZE_FORM}: write ${count}${letter}iB or ${count}${letter === 'K' ? 'k' : letter}B`;
}

/** Bytes in the form of hippo.yaml, without loss: `64MiB`, `2GB`, `1234B`. */
export function sizeText(bytes: number): string {
  const [shortest] = UNITS.filter(([, unit]) => bytes > 0 && bytes % unit === 0).sort(
    ([, one], [, other]) => other - one,
  );
  return shortest === undefined ? `${bytes}B` : `${bytes / shortest[1]}${shortest[0]}`;
}

/** `12.3 GiB`, `410 MiB`, `12 KiB`, `1 byte`: for people, never more than there is. */
export function formatSize(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(Math.floor((bytes / 2 ** 30) * 10) / 10).toFixed(1)} GiB`;
  if (bytes >= 2 ** 20) return `${Math.floor(bytes / 2 ** 20)} MiB`;
  if (bytes >= 2 ** 10) return `${Math.floor(bytes / 2 ** 10)} KiB`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

function bytesOf(word: string): number | undefined {
  return UNITS.find(([name]) => name.toLowerCase() === word.toLowerCase())?.[1];
}

function readAmount(text: string): RegExpExecArray | null {
  return text.length > LONGEST ? null : AMOUNT.exec(text.trim());
}

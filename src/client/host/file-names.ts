/** Names of files and folders that are made from keys, jobs and attempts. */

/** Most file systems allow 255 bytes; the rest is for an ending. */
const MAX_NAME = 200;

/**
 * A key can hold anything that a partition's value can: a character that may be special in a file name is
 * percent-encoded, so that two texts never give the same name.
 */
export function fileSafe(text: string): string {
  const encoded = text.replace(/[^A-Za-z0-9._=-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  return encoded.replace(/^\./, '%2e');
}

/** `<attempt id>.json`: the name of an attempt's file in each folder that has one file an attempt. */
export function attemptFileName(attemptId: string): string {
  // An id that is too long is cut at its beginning: its end tells attempts apart.
  return `${fileSafe(attemptId).slice(-MAX_NAME)}.json`;
}

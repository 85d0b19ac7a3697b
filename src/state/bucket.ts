/** The layout of a bucket of announcements, in bytes: ./announcements.ts says what is in it. */
export const VERSION = 1;
export const HEADER = 1;
export const ENTRY = 20;

/** Whether bytes are a bucket. */
export function isBucket(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION && (bytes.length - HEADER) % ENTRY === 0;
}

/** Makes names from texts of messages: of limited length, unambiguous, and always the same for the same text. */

const LONGEST = 300;

/** Keys of records and file names cannot be of any length: the tail of a long text is replaced by its hash. */
export function bounded(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}~${hash(text)}`;
}

/** 16 hex digits: two FNV-1a hashes (http://www.isthe.com/chongo/tech/comp/fnv/) with different starts. Not for secrets. */
export function hash(text: string): string {
  return hex(fnv1a(text, 0x811c9dc5), 8) + hex(fnv1a(text, 0x050c5d1f), 8);
}

function fnv1a(text: string, start: number): number {
  let value = start;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    value = Math.imul(value ^ (unit & 0xff), 0x01000193);
    value = Math.imul(value ^ (unit >>> 8), 0x01000193);
  }
  return value >>> 0;
}

/** Lower case letters, digits and dashes: fits file names, YARN tags and Kubernetes labels. */
export function slug(text: string, longest: number): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, longest);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * What a source has announced, packed: of each landing a hash of its id, a fingerprint of what was found, and the
 * exec_date that its event got. A source may have a million landings, so they are not records of their own. Each record of
 * the state topic holds a *bucket* of them, sorted by hash. A bucket that becomes too large is split in two by the next bit
 * of the hash (extendible hashing: Fagin et al., 1979), so a new landing rewrites one bucket only.
 *
 * Layout of a bucket: one byte for the version, then 20 bytes for each landing, big-endian: the hash (8), the fingerprint (4),
 * exec_date (4), and when complete scans began to miss it (4; 0: it is listed). Both times are epoch seconds.
 */
import { Map as PersistentMap } from 'immutable';
import { ENTRY, HEADER, VERSION } from './bucket.ts';

/** What is remembered of one landing. */
export interface Announcement {
  /** Of what was found: another one is a re-landing. 32 bits of a hash. */
  readonly fingerprint: number;
  /** Of the event that announced it, epoch seconds. */
  readonly execDate: number;
  /** Since when complete scans have not listed it any more, epoch seconds; null: it is listed. */
  readonly unlistedSince: number | null;
}

/** The buckets of one source: the leading bits that the hashes in a bucket share → the bucket. */
export type Announcements = PersistentMap<string, Uint8Array>;

export const NO_ANNOUNCEMENTS: Announcements = PersistentMap();

/** 64 bits that stand for a landing's id. */
export interface LandingHash {
  readonly high: number;
  readonly low: number;
}

/** What becomes of a landing; null: it is forgotten. */
export interface AnnouncementChange {
  readonly hash: LandingHash;
  readonly to: Announcement | null;
}

export interface UpdatedAnnouncements {
  readonly announcements: Announcements;
  /** The buckets to be written; null: the bucket is no more. */
  readonly written: ReadonlyMap<string, Uint8Array | null>;
}

/** A bucket of so many is 16 KB: what a single new landing costs in the topic. */
const MOST_ENTRIES = 800;
/** In the keys of records: the bits of a bucket that has not been split. */
const UNSPLIT = '-';

/** FNV-1a of 64 bits over UTF-16 units (http://www.isthe.com/chongo/tech/comp/fnv/). Two of a million ids collide with a probability of 3e-8. */
export function landingHash(id: string): LandingHash {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const add = (byte: number): void => {
    low = (low ^ byte) >>> 0;
    // Times 0x100000001b3, in halves of 32 bits: the product of `low` and 0x1b3 is exact in a double.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    low = product >>> 0;
  };
  for (let index = 0; index < id.length; index++) {
    const unit = id.charCodeAt(index);
    add(unit & 0xff);
    if (unit > 0xff) add(unit >>> 8);
  }
  return { high, low };
}

/** @param found the text of everything whose change makes a re-landing: a marker's time and size, an ETag, a row */
export function fingerprintOf(found: string): number {
  const { high, low } = landingHash(found);
  return (high ^ low) >>> 0;
}

/** @returns undefined for a landing that is not known */
export function findAnnouncement(announcements: Announcements, hash: LandingHash): Announcement | undefined {
  const bucket = announcements.get(bucketOf(announcements, hash) ?? '');
  if (bucket === undefined) return undefined;
  const view = viewOf(bucket);
  const at = search(view, hash);
  return at < countOf(view) && compare(hashAt(view, at), hash) === 0 ? entryAt(view, at) : undefined;
}

export function countAnnouncements(announcements: Announcements): number {
  return announcements.reduce((sum, bucket) => sum + countOf(viewOf(bucket)), 0);
}

/** Without those that are not listed any more, and without reports, which no scan lists. */
export function countListed(announcements: Announcements): number {
  let count = 0;
  eachAnnouncement(announcements, (_, { unlistedSince }) => {
    if (unlistedSince === null) count += 1;
  });
  return count;
}

/** The leading bits of the bucket in which the landing is, or would be: landings of one bucket are written together. */
export function bucketOf(announcements: Announcements, hash: LandingHash): string | undefined {
  let bits = '';
  const all = bitsOf(hash);
  while (!announcements.has(bits === '' ? UNSPLIT : bits)) {
    if (bits.length === all.length || announcements.size === 0) return undefined;
    bits = all.slice(0, bits.length + 1);
  }
  return bits === '' ? UNSPLIT : bits;
}

/** Each landing may be changed once in one call. */
export function updateAnnouncements(
  announcements: Announcements,
  changes: readonly AnnouncementChange[],
): UpdatedAnnouncements {
  const written = new Map<string, Uint8Array | null>();
  const updated = announcements.withMutations((buckets) => {
    const byBucket = Map.groupBy(changes, ({ hash }) => bucketOf(announcements, hash) ?? UNSPLIT);
    for (const [bits, ofBucket] of byBucket) {
      const entries = merged(announcements.get(bits), ofBucket);
      const parts = split(bits, entries);
      if (!parts.has(bits)) {
        buckets.delete(bits);
        if (announcements.has(bits)) written.set(bits, null);
      }
      for (const [key, part] of parts) {
        const bucket = encode(part);
        buckets.set(key, bucket);
        written.set(key, bucket);
      }
    }
  });
  return { announcements: updated, written };
}

/** Calls back for each landing, bucket by bucket. */
export function eachAnnouncement(
  announcements: Announcements,
  visit: (hash: LandingHash, announcement: Announcement) => void,
): void {
  for (const bucket of announcements.values()) {
    const view = viewOf(bucket);
    for (let at = 0; at < countOf(view); at++) visit(hashAt(view, at), entryAt(view, at));
  }
}

/** Names a hash in a set of them. */
export function hashKey({ high, low }: LandingHash): string {
  return high.toString(36) + '-' + low.toString(36);
}

interface Entry {
  hash: LandingHash;
  announcement: Announcement;
}

/** An empty bucket stays: without it the bits of its neighbours would not be found. */
function split(bits: string, entries: readonly Entry[]): Map<string, readonly Entry[]> {
  if (entries.length <= MOST_ENTRIES) return new Map([[bits, entries]]);
  const depth = bits === UNSPLIT ? 0 : bits.length;
  const halves = Map.groupBy(entries, ({ hash }) => bitsOf(hash).slice(0, depth + 1));
  const prefix = bits === UNSPLIT ? '' : bits;
  return new Map(['0', '1'].flatMap((bit) => [...split(prefix + bit, halves.get(prefix + bit) ?? [])]));
}

function merged(bucket: Uint8Array | undefined, changes: readonly AnnouncementChange[]): Entry[] {
  const sorted = changes.toSorted((one, other) => compare(one.hash, other.hash));
  const entries: Entry[] = [];
  let next = 0;
  const take = (change: AnnouncementChange): void => {
    if (change.to !== null) entries.push({ hash: change.hash, announcement: change.to });
    next += 1;
  };
  const view = bucket === undefined ? undefined : viewOf(bucket);
  for (let at = 0; view !== undefined && at < countOf(view); at++) {
    const hash = hashAt(view, at);
    for (
      let change = sorted[next];
      change !== undefined && compare(change.hash, hash) < 0;
      change = sorted[next]
    )
      take(change);
    const change = sorted[next];
    if (change !== undefined && compare(change.hash, hash) === 0) take(change);
    else entries.push({ hash, announcement: entryAt(view, at) });
  }
  for (const change of sorted.slice(next)) take(change);
  return entries;
}

function encode(entries: readonly Entry[]): Uint8Array {
  const bucket = new Uint8Array(HEADER + entries.length * ENTRY);
  bucket[0] = VERSION;
  const view = viewOf(bucket);
  entries.forEach(({ hash, announcement }, index) => {
    const at = HEADER + index * ENTRY;
    view.setUint32(at, hash.high);
    view.setUint32(at + 4, hash.low);
    view.setUint32(at + 8, announcement.fingerprint);
    view.setUint32(at + 12, announcement.execDate);
    view.setUint32(at + 16, announcement.unlistedSince ?? 0);
  });
  return bucket;
}

function viewOf(bucket: Uint8Array): DataView {
  return new DataView(bucket.buffer, bucket.byteOffset, bucket.byteLength);
}

function countOf(view: DataView): number {
  return (view.byteLength - HEADER) / ENTRY;
}

function hashAt(view: DataView, index: number): LandingHash {
  const at = HEADER + index * ENTRY;
  return { high: view.getUint32(at), low: view.getUint32(at + 4) };
}

function entryAt(view: DataView, index: number): Announcement {
  const at = HEADER + index * ENTRY;
  const unlistedSince = view.getUint32(at + 16);
  return {
    fingerprint: view.getUint32(at + 8),
    execDate: view.getUint32(at + 12),
    unlistedSince: unlistedSince === 0 ? null : unlistedSince,
  };
}

/** The index of the first entry whose hash is not smaller. */
function search(view: DataView, hash: LandingHash): number {
  let [low, high] = [0, countOf(view)];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(hashAt(view, middle), hash) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(one: LandingHash, other: LandingHash): number {
  return one.high - other.high || one.low - other.low;
}

/** FNV mixes its low bits less than the high ones, so the two halves are folded into one. */
function bitsOf({ high, low }: LandingHash): string {
  return ((high ^ low) >>> 0).toString(2).padStart(32, '0');
}

/** Listings of sources, as `hippo source scan NAME --dry-run --json` prints them. */
import { readFile } from 'node:fs/promises';
import type { Definition, ToldLanding } from '../client/machine/index.ts';
import { type Millis, isoTime } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { type JsonObject, isJsonObject, parsePlainJson } from '../core/json.ts';
import { parsePartitionPath } from '../messages/index.ts';
import { landingHash } from '../state/index.ts';

/** What a source listed at one time. */
export interface Listing {
  source: string;
  at: Millis;
  /** Those that were listed, with ids as the client's watcher gives them. */
  landings: readonly ToldLanding[];
  skipped: readonly SkippedPath[];
  /** Why it did not come to its end; null: it did. */
  error: string | null;
}

export interface SkippedPath {
  path: string;
  reason: string;
  /** It was being written. */
  unfinished: boolean;
}

const HOW = 'hippo source scan NAME --dry-run --json > listing.json';

/** @throws UserError for a file that is not a listing of one of the sources */
export async function readListing(file: string, { sources }: Definition): Promise<Listing> {
  const refuse = (why: string, next = HOW): UserError =>
    new UserError(`${file} is no listing of a source`, { why, next: [next], place: { file } });
  let value: unknown;
  try {
    value = parsePlainJson(await readFile(file, 'utf8'));
  } catch (error) {
    throw refuse(fileReason(error));
  }
  if (!isJsonObject(value)) throw refuse('It is no JSON object.');
  const { source: of, at, listing, error, skipped } = value;
  if (!isJsonObject(of) || typeof of['name'] !== 'string') throw refuse('It has no "source".');
  const source = sources.get(of['name']);
  if (source === undefined) {
    const known = sources.size === 0 ? 'no sources' : [...sources.keys()].join(', ');
    throw refuse(`It is of the source ${of['name']}; hippo.yaml has ${known}.`, 'hippo source list');
  }
  const time = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (isoTime(time) === null) throw refuse('"at" is no time.');
  if (!Array.isArray(listing))
    throw refuse('It has no "listing": hippo prints it with --dry-run and --json only.');
  const ids = new Set<string>();
  return {
    source: source.name,
    at: time,
    landings: listing.map((each, index) => {
      const landing = isJsonObject(each) ? landingOf(each, `${source.db}.${source.table}`) : undefined;
      if (landing === undefined) throw refuse(`listing[${index}] is no landing.`);
      if (ids.has(landing.id)) throw refuse(`listing[${index}] has the id of one before it.`);
      ids.add(landing.id);
      return landing;
    }),
    skipped: Array.isArray(skipped) ? skipped.filter(isJsonObject).map(skipOf) : [],
    error: typeof error === 'string' ? error : null,
  };
}

function landingOf(
  { id, partition, landed_at, fingerprint }: JsonObject,
  table: string,
): ToldLanding | undefined {
  if (typeof id !== 'string' || typeof partition !== 'string' || typeof fingerprint !== 'number')
    return undefined;
  const path = partition === '' ? [] : parsePartitionPath(partition);
  const landedAt = typeof landed_at === 'string' ? Date.parse(landed_at) : Number.NaN;
  if (path === undefined || isoTime(landedAt) === null) return undefined;
  const full = `${table}/${id}`;
  return { id: full, hash: landingHash(full), partition: path, landedAt, fingerprint };
}

function skipOf({ path, reason, unfinished }: JsonObject): SkippedPath {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '?');
  return { path: text(path), reason: text(reason), unfinished: unfinished === true };
}

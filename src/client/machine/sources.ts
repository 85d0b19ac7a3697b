/**
 * What a source's findings come to: each landing is announced once, by a frontier event that is published in the same
 * transaction as what remembers it. So a scan that is repeated, also by another owner, changes nothing.
 */
import { type Millis, epochSeconds } from '../../core/clock.ts';
import { partitionPath } from '../../messages/partition.ts';
import {
  type Announcement,
  type AnnouncementChange,
  type LandingHash,
  eachAnnouncement,
  findAnnouncement,
  hashKey,
  landingHash,
} from '../../state/index.ts';
import { eventOf, execDateOf } from './announcing.ts';
import type { SourceDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import type { Source } from './state.ts';
import { traceFrom } from './trace.ts';
import type { AnnouncedLanding, ReportedLanding, Scan, ToldLanding } from './types.ts';

/** Announces what has settled and is new, or has landed again. */
export function takeLandings(
  draft: Draft,
  source: SourceDefinition,
  { scan, landings }: { scan: number; landings: readonly ToldLanding[] },
): void {
  const changes = new Map<string, AnnouncementChange>();
  const announced: AnnouncedLanding[] = [];
  for (const landing of landings) {
    const found = findingOf(landing);
    if (changes.has(found.key)) continue;
    const known = findAnnouncement(draft.source(source).announcements, found.hash);
    const isSame = known?.fingerprint === found.fingerprint;
    if (isSame) {
      if (known.unlistedSince !== null)
        changes.set(found.key, { hash: found.hash, to: { ...known, unlistedSince: null } });
    } else if (isRemembering(source, draft.source(source)) || hasSettled(draft, source, found, scan)) {
      const to: Announcement = {
        fingerprint: found.fingerprint,
        execDate: execDateOf(landing, known, draft.at),
        unlistedSince: null,
      };
      changes.set(found.key, { hash: found.hash, to });
      if (isRemembering(source, draft.source(source))) continue;
      const { partition } = landing;
      const event = eventOf(draft, { ...source, partition, by: { source: source.name } }, to.execDate);
      draft.announce(event, traceOf(draft, source, landing, to));
      announced.push({ partition: partitionPath(partition), execDate: to.execDate });
    }
  }
  draft.changeAnnouncements(source, [...changes.values()]);
  const after = draft.source(source);
  draft.putSource(source, {
    ...after,
    unsettled: after.unsettled.deleteAll([...changes.keys()]),
    announced: after.announced + announced.length,
  });
  draft.announced(source.name, `${source.db}.${source.table}`, announced);
}

/** Notes what is not listed any more, and forgets what has not been for longer than `keep`. */
export function missLandings(draft: Draft, source: SourceDefinition, missed: readonly LandingHash[]): void {
  const { announcements } = draft.source(source);
  const now = epochSeconds(draft.at);
  const changes = missed.flatMap((hash): AnnouncementChange[] => {
    const known = findAnnouncement(announcements, hash);
    if (known === undefined) return [];
    if (known.unlistedSince === null) return [{ hash, to: { ...known, unlistedSince: now } }];
    return isForgotten(draft, known.unlistedSince) ? [{ hash, to: null }] : [];
  });
  draft.changeAnnouncements(source, changes);
}

/**
 * Announces what is reported under an id that is not known. A report is remembered beside its partition: the partition has
 * the exec_date that the next landing of it must exceed, the report the one that a repetition is answered with.
 */
export function takeReports(
  draft: Draft,
  source: SourceDefinition,
  landings: readonly ReportedLanding[],
): void {
  const announced: AnnouncedLanding[] = [];
  for (const landing of landings) {
    const { announcements } = draft.source(source);
    const [report, partition] = [landingHash(landing.report.id), landingHash(landing.id)];
    if (findAnnouncement(announcements, report) !== undefined) continue;
    const { fingerprint } = landing.report;
    const execDate = execDateOf(landing, findAnnouncement(announcements, partition), draft.at);
    const to: Announcement = { fingerprint, execDate, unlistedSince: null };
    // No scan lists a report: it is forgotten as what is not listed any more is.
    const reported: Announcement = { ...to, unlistedSince: epochSeconds(draft.at) };
    draft.changeAnnouncements(source, [
      { hash: partition, to },
      { hash: report, to: reported },
    ]);
    const own = { partition: landing.partition, method: landing.method ?? source.method };
    const event = eventOf(draft, { ...source, ...own, by: { source: source.name } }, execDate);
    draft.announce(event, traceOf(draft, source, landing, to));
    announced.push({ partition: partitionPath(landing.partition), execDate });
  }
  draft.announced(source.name, `${source.db}.${source.table}`, announced);
}

/** Forgets reports that are older than `keep`. */
export function dropReports(draft: Draft, source: SourceDefinition): void {
  if (source.takesReports !== true) return;
  const changes: AnnouncementChange[] = [];
  eachAnnouncement(draft.source(source).announcements, (hash, { unlistedSince }) => {
    if (unlistedSince !== null && isForgotten(draft, unlistedSince)) changes.push({ hash, to: null });
  });
  draft.changeAnnouncements(source, changes);
}

/** Reports the scan. */
export function endScan(draft: Draft, source: SourceDefinition, scan: Scan): void {
  const { number, isComplete, hasListed, watermark: reached, ...report } = scan;
  const before = draft.source(source);
  const watermark = reached ?? before.watermark;
  if (isComplete) {
    const after = draft.source(source);
    // What is gone before it has settled was a temporary file.
    draft.putSource(source, {
      ...after,
      unsettled: after.unsettled.filter((landing) => landing.scan === number),
    });
  }
  draft.putSourceState(source, {
    isListed: before.isListed || hasListed,
    ...(watermark === undefined ? {} : { watermark }),
    lastScan: { at: draft.at, announced: before.announced, ...report },
  });
  draft.putSource(source, { ...draft.source(source), announced: 0 });
}

/** The wall clock has jumped: what waits to settle waits as long as before. */
export function shiftUnsettled(draft: Draft, by: Millis): void {
  for (const source of draft.definition.sources.values()) {
    const known = draft.source(source);
    if (known.unsettled.isEmpty()) continue;
    const unsettled = known.unsettled.map((landing) => ({ ...landing, since: landing.since + by }));
    draft.putSource(source, { ...known, unsettled });
  }
}

/** What was found at a landing. */
interface Finding extends Pick<ToldLanding, 'hash' | 'fingerprint'> {
  key: string;
}

function findingOf({ hash, fingerprint }: ToldLanding): Finding {
  return { key: hashKey(hash), hash, fingerprint };
}

/** @param since epoch seconds */
export function isForgotten({ at, state, definition }: Draft, since: number): boolean {
  // A clock that was set years ahead must not make a hippo forget.
  return (epochSeconds(at) - since) * 1000 - Math.max(0, state.jumped) > definition.keep;
}

/** With `start_from: end` what the first complete scan lists is known, and not announced. */
function isRemembering({ startFrom }: SourceDefinition, { isListed }: Source): boolean {
  return startFrom === 'end' && !isListed;
}

/** Whether it has been the same for long enough. If it is not, it is remembered as it is now. */
function hasSettled(draft: Draft, source: SourceDefinition, found: Finding, scan: number): boolean {
  if (source.settle === 0) return true;
  const known = draft.source(source);
  const before = known.unsettled.get(found.key);
  const isSame = before?.fingerprint === found.fingerprint;
  if (isSame && draft.at - before.since >= source.settle) return true;
  const { fingerprint } = found;
  const since = isSame ? before.since : draft.at;
  draft.putSource(source, {
    ...known,
    unsettled: known.unsettled.set(found.key, { fingerprint, since, scan }),
  });
  return false;
}

/** A trace begins with each event; a repeated step begins the same one. */
function traceOf(
  { definition }: Draft,
  { name }: SourceDefinition,
  { id }: Pick<ToldLanding, 'id'>,
  { execDate }: Announcement,
): string {
  return traceFrom(`${definition.identity}/${name}/${id}/${execDate}`);
}

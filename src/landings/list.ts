/** What is known of a hippo's sources, from its state: the same on any machine. */
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { groupName } from '../config/groups.ts';
import { topicName } from '../config/topics.ts';
import { compileProject } from '../client/host/project.ts';
import type { WatchedSource } from '../client/host/sources.ts';
import { isoTime } from '../core/clock.ts';
import type { Kafka } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import type { Json } from '../core/json.ts';
import {
  type Announcements,
  NO_ANNOUNCEMENTS,
  type Pause,
  type ScanReport,
  type SourceState,
  type StateValue,
  countAnnouncements,
  countListed,
  formatStateKey,
} from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';

export interface ListOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  signal: AbortSignal;
}

/** The sources of one hippo. */
export interface SourceList {
  hippo: string;
  /** How many clients of it run. The owner among them scans. */
  clients: number;
  sources: SourceReport[];
}

export interface SourceReport {
  name: string;
  /** `db.table` */
  table: string;
  /** What it watches: `/data/orders`. */
  place: string;
  /** It is scanned; false: it takes reports. */
  scanned: boolean;
  /** How many landings are remembered as announced, or as there at the first scan. */
  known: number;
  /** How far it has read what only grows: of which table and column, and its value; null where it lists all. */
  watermark: { of: string; at: string } | null;
  /** null before its first scan has ended. */
  last_scan: LastScan | null;
  /** Who paused it; null: it is not paused. */
  paused: { by: string | null; reason: string | null; at: string | null } | null;
}

export interface LastScan {
  /** When it ended: ISO 8601. */
  at: string | null;
  took_ms: number;
  listed: number;
  announced: number;
  skipped: number;
  /** Some of what was skipped. */
  skips: readonly { readonly path: string; readonly reason: string }[];
  /** Why it did not come to its end. */
  error: string | null;
}

/** What the state has of each source, by name. */
export type KnownSources = ReadonlyMap<string, KnownSource>;

export interface KnownSource {
  announcements: Announcements;
  state?: SourceState;
  pause?: Pause;
}

/** @throws UserError without sources, ServiceError without Kafka */
export async function listSources({ file, profile, signal }: ListOptions): Promise<SourceList> {
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { hippo, identity, sources } = await compileProject(loaded);
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const [known, group] = await Promise.all([
      readSources(kafka, loaded, hippo),
      kafka.describeGroup(groupName(identity)),
    ]);
    return {
      hippo,
      clients: group.members.length,
      sources: sources.map((watched) => reportOf(watched, known.get(watched.source.name))),
    };
  } finally {
    await kafka.close();
  }
}

/** Reads what the hippo's state has of its sources. */
export async function readSources(
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>,
  { config }: Pick<LoadedConfig, 'config'>,
  hippo: string,
): Promise<KnownSources> {
  const known = new Map<string, KnownSource>();
  const change = (name: string, changed: (source: KnownSource) => KnownSource): void => {
    known.set(name, changed(known.get(name) ?? { announcements: NO_ANNOUNCEMENTS }));
  };
  const take = (entry: StateEntry): void => {
    const { key } = entry;
    if (key.kind === 'announced') {
      const record = recordOfEntry(entry);
      change(key.source, (source) => ({
        ...source,
        announcements:
          record?.kind === 'announced'
            ? source.announcements.set(key.bucket, record.announced)
            : source.announcements.remove(key.bucket),
      }));
    } else if (key.kind === 'source') {
      const record = recordOfEntry(entry);
      if (record?.kind === 'source') change(key.source, (source) => ({ ...source, state: record.state }));
    } else if (key.kind === 'paused') {
      const record = recordOfEntry(entry);
      change(key.job, ({ pause: _, ...source }) =>
        record?.kind === 'paused' ? { ...source, pause: record.pause } : source,
      );
    }
  };
  await readState(kafka, topicName(config, 'state'), take, hippo);
  return known;
}

export function reportOf(
  { source, scanner, listening }: Pick<WatchedSource, 'source' | 'scanner' | 'listening'>,
  known: KnownSource | undefined,
): SourceReport {
  const { lastScan, watermark } = known?.state ?? {};
  return {
    name: source.name,
    table: `${source.db}.${source.table}`,
    place: scanner.place,
    scanned: listening === undefined,
    known: knownOf(known, listening !== undefined),
    watermark: watermark === undefined || scanner.lists !== 'news' ? null : { ...watermark },
    last_scan: lastScan === undefined ? null : lastScanOf(lastScan),
    paused:
      known?.pause === undefined
        ? null
        : {
            by: known.pause.by ?? null,
            reason: known.pause.reason ?? null,
            at: isoTime(known.pause.at),
          },
  };
}

function knownOf(known: KnownSource | undefined, takesReports: boolean): number {
  if (known === undefined) return 0;
  return takesReports ? countListed(known.announcements) : countAnnouncements(known.announcements);
}

export function lastScanOf(scan: ScanReport): LastScan {
  return {
    at: isoTime(scan.at),
    took_ms: scan.took,
    listed: scan.listed,
    announced: scan.announced,
    skipped: scan.skipped,
    skips: scan.skips,
    error: scan.error ?? null,
  };
}

/** The records of the state topic that hold what is known of a source. Without its pause: who asks to look may look. */
export function recordsOfSource(
  hippo: string,
  source: string,
  known: KnownSource | undefined,
): [key: string, value: StateValue][] {
  if (known === undefined) return [];
  const buckets = [...known.announcements].map(([bucket, bytes]): [string, StateValue] => [
    formatStateKey({ kind: 'announced', hippo, source, bucket }),
    bytes,
  ]);
  if (known.state === undefined) return buckets;
  return [[formatStateKey({ kind: 'source', hippo, source }), known.state as unknown as Json], ...buckets];
}

/** Scans a source: asks its owner to, or looks only, from this machine. */
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { groupName } from '../config/groups.ts';
import { topicName } from '../config/topics.ts';
import { compileProject } from '../client/host/project.ts';
import type { WatchedSource } from '../client/host/sources.ts';
import { Watcher } from '../client/host/watcher.ts';
import {
  type Definition,
  type Effect,
  type MachineState,
  type ToldLanding,
  restore,
  step,
} from '../client/machine/index.ts';
import { isoTime } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { ServiceError, TimeoutError, UserError } from '../core/errors.ts';
import { nearMisses } from '../core/near.ts';
import { type RecordRef, RecordSet } from '../core/record-ref.ts';
import { operator, requestRecord, sendRequests } from '../job/request.ts';
import type { Kafka } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import { type FrontierEvent, partitionPath } from '../messages/index.ts';
import {
  type FoundLanding,
  PartlyAwayError,
  type Skip,
  SourceAwayError,
  describeAway,
  isScanError,
} from '../sources/index.ts';
import { fingerprintOf } from '../state/index.ts';
import { recordOfEntry, stateEntry } from '../state/reader.ts';
import {
  type KnownSource,
  type LastScan,
  type SourceReport,
  lastScanOf,
  readSources,
  recordsOfSource,
  reportOf,
} from './list.ts';

export interface ScanOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  source: string;
  /** How long to wait for the owner, milliseconds. */
  timeout: number;
  signal: AbortSignal;
}

/** What the owner's scan came to. */
export interface ScanResult {
  hippo: string;
  source: string;
  scan: LastScan;
}

/** What a scan from this machine would announce. */
export interface ScanPreview {
  hippo: string;
  source: SourceReport;
  /** When it was scanned: ISO 8601. */
  at: string;
  /** In the order in which they would be announced. */
  would_announce: PlannedEvent[];
  /** How long a client must have seen a landing unchanged before it announces it, milliseconds. */
  settle_ms: number;
  /** What was written less than that ago. */
  waits_to_settle: WaitingLanding[];
  skipped: SkippedPath[];
  /** Why the place could not be listed to its end. */
  error: string | null;
  /** Nothing of it could be listed: that may pass by itself. */
  is_away: boolean;
  /** All that was listed, for `hippo simulate --listing`; null if it was not asked for. */
  listing: ListedLanding[] | null;
}

/** A landing as it was listed. */
export interface ListedLanding {
  /** Names it in its source for ever: the partition's path, or the key of a request. */
  id: string;
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
  partition: string;
  /** The time of its marker, newest file or row: ISO 8601. */
  landed_at: string;
  /** Another number means that it has landed again. */
  fingerprint: number;
}

export interface WaitingLanding extends PlannedEvent {
  /** It is announced no earlier than that: ISO 8601. */
  settles_at: string;
}

export interface PlannedEvent {
  /** `db.table` */
  table: string;
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
  partition: string;
  /** Epoch seconds. */
  exec_date: number;
}

export interface SkippedPath {
  path: string;
  reason: string;
  /** It is being written, so it may land later. */
  unfinished: boolean;
}

/**
 * Asks the owner of the hippo to scan, and waits until it has.
 *
 * @throws UserError for an unknown source or without a client; TimeoutError; ServiceError without Kafka
 */
export async function scanSource(options: ScanOptions): Promise<ScanResult> {
  const { loaded, kafka, found, identity, hippo } = await open(options);
  try {
    const { members } = await kafka.describeGroup(groupName(identity));
    if (members.length === 0) {
      throw new UserError(`no client of ${hippo} runs, so it cannot scan`, {
        next: ['hippo run', `hippo source scan ${found.source.name} --dry-run    (looks from this machine)`],
      });
    }
    const known = (await readSources(kafka, loaded, hippo)).get(found.source.name);
    if (known?.pause !== undefined) {
      throw new UserError(`${found.source.name} is paused, so it is not scanned`, {
        next: [`hippo job resume ${found.source.name}`, `hippo source scan ${found.source.name} --dry-run`],
      });
    }
    const scan = await scanByOwner(kafka, options, {
      hippo,
      state: topicName(loaded.config, 'state'),
      ask: async () => {
        const request = {
          hippo,
          job: found.source.name,
          action: 'run',
          key: null,
          by: operator(),
          reason: null,
        } as const;
        const [ref] = await sendRequests(kafka, [requestRecord(loaded.config, request)]);
        if (ref === undefined) throw new ServiceError('the broker did not say where the request is');
        return ref;
      },
    });
    return { hippo, source: found.source.name, scan };
  } finally {
    await kafka.close();
  }
}

/** Lists the place from this machine and compares it with what is announced; changes nothing. */
export async function previewScan(options: ScanOptions & { listing: boolean }): Promise<ScanPreview> {
  const { loaded, kafka, found, definition, hippo } = await open(options);
  try {
    const known = (await readSources(kafka, loaded, hippo)).get(found.source.name);
    const at = Date.now();
    const { events, skips, error, isAway, listing } = await preview(definition, found, known, options);
    const { settle } = found.source;
    const isWaiting = ({ landedAt }: PreviewedEvent): boolean => landedAt + settle > at;
    return {
      hippo,
      source: reportOf(found, known),
      at: new Date(at).toISOString(),
      would_announce: events.filter((event) => !isWaiting(event)).map(({ planned }) => planned),
      settle_ms: settle,
      waits_to_settle: events
        .filter(isWaiting)
        .map(({ planned, landedAt }) => ({ ...planned, settles_at: isoTime(landedAt + settle) ?? '' })),
      skipped: skips.map(({ path, reason, isUnfinished }) => ({ path, reason, unfinished: isUnfinished })),
      error,
      is_away: isAway,
      listing,
    };
  } finally {
    await kafka.close();
  }
}

interface Opened {
  loaded: LoadedConfig;
  kafka: Kafka;
  hippo: string;
  identity: string;
  definition: Definition;
  found: WatchedSource;
}

async function open({ file, profile, source, signal }: ScanOptions): Promise<Opened> {
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { hippo, identity, definition, sources } = await compileProject(loaded);
  const found = sources.find((watched) => watched.source.name === source);
  if (found === undefined) throw unknownSource(loaded, source, [...definition.sources.keys()]);
  if (found.listening !== undefined) {
    throw new UserError(`${source} is not scanned: it is an http source, which takes reports of landings`, {
      why: `Clients report a landing with POST ${found.scanner.place}`,
      place: loaded.place(['sources', source, 'http']),
      next: ['hippo source list', 'docs/SOURCES.md has the request'],
    });
  }
  return {
    loaded,
    hippo,
    identity,
    definition,
    found,
    kafka: await connectProject(loaded, process.env, signal),
  };
}

function unknownSource(loaded: LoadedConfig, name: string, names: readonly string[]): UserError {
  const [near] = nearMisses(name, names);
  return new UserError(`there is no source ${name}`, {
    why: names.length === 0 ? 'hippo.yaml has no sources.' : `hippo.yaml has ${names.join(', ')}.`,
    place: loaded.place(['sources']),
    next: near === undefined ? ['hippo source list'] : [`hippo source scan ${near}`],
  });
}

interface Asking {
  hippo: string;
  /** The state topic. */
  state: string;
  /** Publishes the request. */
  ask: () => Promise<RecordRef>;
}

/** Follows the state topic from before the request on, up to the scan that names it. */
async function scanByOwner(
  kafka: Kafka,
  { source, timeout, signal }: ScanOptions,
  { hippo, state, ask }: Asking,
): Promise<LastScan> {
  const ends = await kafka.offsets(state);
  const reader = await kafka.reader({
    from: ends.map(({ partition, stable }) => ({ topic: state, partition, offset: stable })),
  });
  const late = AbortSignal.timeout(timeout);
  const close = (): void => void reader.close();
  const stop = AbortSignal.any([late, signal]);
  stop.addEventListener('abort', close);
  if (stop.aborted) close();
  try {
    const request = new RecordSet([await ask()]);
    for await (const { records } of reader) {
      for (const record of records) {
        const entry = stateEntry(record);
        if (entry?.key.hippo !== hippo || entry.key.kind !== 'source' || entry.key.source !== source)
          continue;
        const known = recordOfEntry(entry);
        if (known?.kind !== 'source') continue;
        const { lastScan } = known.state;
        if (lastScan?.requests?.some((ref) => request.has(ref)) === true) return lastScanOf(lastScan);
      }
    }
  } finally {
    stop.removeEventListener('abort', close);
    await reader.close();
  }
  signal.throwIfAborted();
  throw new TimeoutError(
    `the owner of ${hippo} has not scanned ${source} within ${formatDuration(timeout)}`,
    {
      why: 'The source may be paused, its scan slow, or the client busy.',
      next: ['hippo source list', 'hippo doctor'],
    },
  );
}

interface Previewed {
  events: PreviewedEvent[];
  skips: Skip[];
  error: string | null;
  isAway: boolean;
  listing: ListedLanding[] | null;
}

interface PreviewedEvent {
  planned: PlannedEvent;
  /** Epoch milliseconds. */
  landedAt: number;
}

/** Scans as the owner does, with a machine whose effects stay here. Nothing has to settle. */
async function preview(
  definition: Definition,
  { source, scanner }: WatchedSource,
  known: KnownSource | undefined,
  options: { signal: AbortSignal; listing: boolean },
): Promise<Previewed> {
  const { signal } = options;
  const settled = { ...source, settle: 0 };
  const here: Definition = { ...definition, sources: new Map([[source.name, settled]]) };
  const events: PreviewedEvent[] = [];
  const listing: ListedLanding[] | null = options.listing ? [] : null;
  const listed = (landings: readonly FoundLanding[]): readonly FoundLanding[] => {
    for (const landing of landings) listing?.push(listedLanding(landing));
    return landings;
  };
  const skips: Skip[] = [];
  let state: MachineState = step(here, restore(here, recordsOfSource(definition.hippo, source.name, known)), {
    type: 'ownership-gained',
    at: Date.now(),
  }).state;
  const watcher = new Watcher({
    watched: {
      source: settled,
      every: 0,
      scanner: {
        place: scanner.place,
        lists: scanner.lists ?? 'all',
        ...(scanner.ifEmpty === undefined ? {} : { ifEmpty: scanner.ifEmpty }),
        async *scan(stop, onSkip, scanOptions) {
          const noted = (skip: Skip): void => {
            skips.push(skip);
            onSkip(skip);
          };
          for await (const landings of scanner.scan(stop, noted, scanOptions)) yield listed(landings);
        },
      },
    },
    state: () => state,
    tell: (finding) => {
      const { state: next, effects } = step(here, state, { ...finding, at: Date.now() });
      state = next;
      if (finding.type === 'landings-found') events.push(...previewed(finding.landings, effects));
      return Promise.resolve();
    },
    log: () => undefined,
    once: true,
  });
  let error: string | null = null;
  let isAway = false;
  try {
    await watcher.watch(signal);
  } catch (thrown) {
    if (!isScanError(thrown)) throw thrown;
    error = describeAway(thrown);
    isAway = thrown instanceof SourceAwayError && !(thrown instanceof PartlyAwayError);
  }
  signal.throwIfAborted();
  return { events, skips, error, isAway, listing };
}

/** The events of a step, each with the time of its landing. */
function previewed(landings: readonly ToldLanding[], effects: readonly Effect[]): PreviewedEvent[] {
  const times = new Map(landings.map(({ partition, landedAt }) => [partitionPath(partition), landedAt]));
  return effects.flatMap((effect): PreviewedEvent[] => {
    if (effect.type !== 'publish' || effect.message.kind !== 'frontier') return [];
    const planned = plannedEvent(effect.message);
    return [{ planned, landedAt: times.get(planned.partition) ?? planned.exec_date * 1000 }];
  });
}

function listedLanding({ id, partition, landedAt, found }: FoundLanding): ListedLanding {
  return {
    id,
    partition: partitionPath(partition),
    landed_at: isoTime(landedAt) ?? '',
    fingerprint: fingerprintOf(found),
  };
}

function plannedEvent({ db, table, partitions: [partition = []], execDate }: FrontierEvent): PlannedEvent {
  return { table: `${db}.${table}`, partition: partitionPath(partition), exec_date: execDate };
}

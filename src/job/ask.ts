import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { BugError, UserError } from '../core/errors.ts';
import { nearMisses } from '../core/near.ts';
import { knownHippos } from '../kafka/groups.ts';
import { partitionForKey } from '../kafka/partitioner.ts';
import type { Kafka } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import { parseSchedule, type ScheduleAction } from '../messages/index.ts';
import { type WaitReport, followToEnd } from '../trigger/following.ts';
import type { FollowChange } from '../trigger/follow.ts';
import { Watch } from '../trigger/wait.ts';
import { topicName } from '../config/topics.ts';
import { formatStateKey } from '../state/index.ts';
import { type StateEntry, readState } from '../state/reader.ts';
import { type Request, type RequestRecord, requestRecord, sendRequests } from './request.ts';
import { type RequestWords, goneRequest, resolveRequest } from './resolve.ts';

export interface AskOptions extends RequestWords {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  dryRun: boolean;
  /** How long to wait for the runs that the request starts, milliseconds; null to not wait. */
  timeout: number | null;
  /** Called after the request is published and before the wait. */
  onAsked(asked: AskedRequest): void;
  /** Called when a run that it caused has started or ended. */
  onChange(change: FollowChange): void;
  signal: AbortSignal;
}

/** A request and its record reference, or where it would go. */
export interface AskedRequest {
  /** Only planned. */
  dry_run: boolean;
  action: ScheduleAction;
  hippo: string;
  job: string;
  /** null for the run of the present window. */
  run_key: string | null;
  by: string;
  reason: string | null;
  record: RequestRecord & {
    partition: number;
    /** Decimal text; null with `dry_run`. */
    offset: string | null;
  };
  /** How many clients of that hippo run. Without a client the request stays in its topic until one starts. */
  clients: number;
  /** Hippos of similar names, if no hippo of this name has ever run with these topics. */
  similar: string[];
}

export interface JobReport extends AskedRequest {
  /** null if it was not waited for. */
  wait: WaitReport | null;
}

/**
 * Publishes a request to a hippo, and waits for its runs if asked to.
 *
 * @throws UserError for an unknown job or key, ServiceError without Kafka
 */
export async function askHippo(options: AskOptions): Promise<JobReport> {
  const { file, profile, dryRun, timeout } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const request = await requestOf(options, loaded);
  const record = requestRecord(loaded.config, request);
  refuseUnreadable(record);
  const kafka = await connectProject(loaded, process.env, options.signal);
  try {
    const { key, ...asking } = request;
    const { partition, ...known } = await whereabouts(kafka, loaded.config, record, request.hippo);
    const planned = { ...asking, run_key: key, ...known };
    if (dryRun)
      return { dry_run: true, ...planned, record: { ...record, partition, offset: null }, wait: null };
    // The wait starts before the request is published, so that it misses none of its effects.
    const watch =
      timeout === null
        ? null
        : await Watch.open({
            kafka,
            config: loaded.config,
            clock: systemClock,
            onChange: (change) => options.onChange(change),
          });
    try {
      const [ref] = await sendRequests(kafka, [record]);
      if (ref === undefined)
        throw new BugError('the broker acknowledged a request without saying where it is');
      const asked = {
        dry_run: false,
        ...planned,
        record: { ...record, partition: ref.partition, offset: ref.offset },
      };
      options.onAsked(asked);
      if (watch === null || timeout === null) return { ...asked, wait: null };
      const wait = { timeout, clock: systemClock, signal: options.signal };
      return { ...asked, wait: await followToEnd(watch, [ref], wait) };
    } finally {
      await watch?.close();
    }
  } finally {
    await kafka.close();
  }
}

/**
 * What hippo.yaml does not have, the hippo's state may still have: runs of a job that was removed or renamed, or that has other
 * windows now. They can be settled.
 */
async function requestOf(options: AskOptions, loaded: LoadedConfig): Promise<Request> {
  try {
    return await resolveRequest(options, loaded, systemClock.now());
  } catch (error) {
    const gone = error instanceof UserError ? goneRequest(options, loaded) : null;
    if (gone === null || !(await isInState(gone, loaded, options.signal))) throw error;
    return gone;
  }
}

/** Without Kafka the first error counts. */
async function isInState(
  { hippo, job, key }: Request,
  loaded: LoadedConfig,
  signal: AbortSignal,
): Promise<boolean> {
  const kafka = await connectProject(loaded, process.env, signal).catch(() => null);
  if (kafka === null) return false;
  const wanted = formatStateKey({ kind: 'run', hippo, job, key: key ?? '' });
  let found = false;
  try {
    const take = ({ id, value }: StateEntry): void => {
      if (id === wanted) found = value !== null;
    };
    await readState(kafka, topicName(loaded.config, 'state'), take, hippo);
  } catch {
    found = false;
  } finally {
    await kafka.close();
  }
  signal.throwIfAborted();
  return found;
}

/** Refuses a request that the hippo would reject. */
function refuseUnreadable({ value }: RequestRecord): void {
  const parsed = parseSchedule(value);
  if (parsed.ok) return;
  const { key = 'the request', reason } = parsed.rejection;
  throw new UserError(`${key === 'run_key' ? '--key' : key} ${reason}`);
}

async function whereabouts(
  kafka: Kafka,
  config: Config,
  { topic, key }: RequestRecord,
  hippo: string,
): Promise<Pick<AskedRequest, 'clients' | 'similar'> & { partition: number }> {
  const [{ found, hidden }, hippos] = await Promise.all([kafka.lookUp([topic]), knownHippos(kafka, config)]);
  if (hidden[0] !== undefined) throw hidden[0];
  const partitions = found[0]?.partitions.length ?? 0;
  if (partitions === 0) {
    throw new UserError(`topic ${topic} does not exist`, {
      why: 'Requests to hippos go there (topics.schedule in hippo.yaml).',
      next: ['hippo up'],
    });
  }
  const names = hippos.map((known) => known.hippo);
  const own = hippos.find((known) => known.hippo === hippo);
  return {
    partition: partitionForKey(key, partitions),
    clients: own?.info.members.length ?? 0,
    similar: own === undefined ? nearMisses(hippo, names) : [],
  };
}

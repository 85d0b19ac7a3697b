/**
 * How a later owner finds what an earlier one left running: environment variables on processes, tags on YARN
 * applications.
 */
import { createHash } from 'node:crypto';
import { processExists } from '../../core/process-exists.ts';
import type { Submission } from '../machine/types.ts';
import { startOf } from './process-group.ts';

export const ATTEMPT_TAG = 'HIPPO_ATTEMPT_ID';
/** `<cluster id>/<prefix>/<name>` ({@link identityOf} of config/groups): tells one hippo of one cluster from every other. */
export const OWNER_TAG = 'HIPPO_OWNER';
/** What start-spark.sh passes on as `spark.yarn.tags`: {@link sparkTags}, joined by commas. */
export const SPARK_TAGS = 'HIPPO_SPARK_TAGS';

/** `owner` or `each`: the process is of a service. */
export const SERVICE_SCOPE_TAG = 'HIPPO_SERVICE_SCOPE';
/** The client that runs the service: {@link clientTag}. */
export const SERVICE_CLIENT_TAG = 'HIPPO_SERVICE_CLIENT';
/** Unique to one process of a service and what it starts. */
export const SERVICE_RUN_TAG = 'HIPPO_SERVICE_RUN';

/** Tells this process from all others of this machine: `<pid>`, and when it started where the platform says so. */
export function clientTag(pid = process.pid): string {
  return `${pid}/${startOf(pid) ?? ''}`;
}

/**
 * Whether the environment is that of a service's process that may go on while this client owns: its own, and those that other
 * living clients run beside themselves.
 */
export function isLiveService(environment: Readonly<Record<string, string>>): boolean {
  const client = environment[SERVICE_CLIENT_TAG];
  if (client === undefined) return false;
  const pid = Number(client.slice(0, client.indexOf('/')));
  if (pid === process.pid) return client === clientTag();
  return environment[SERVICE_SCOPE_TAG] === 'each' && client === clientTag(pid) && processExists(pid);
}

/**
 * The tags of an attempt's YARN application, from wide to narrow. They are hashes: a resource manager turns tags to lower
 * case and takes at most 100 ASCII characters, and nothing that a message says may end up in a command line.
 */
export interface SparkTags {
  /** All applications of the hippo. */
  owner: string;
  /** Those of a run, however often it fires. */
  run: string;
  /** Those of one firing (one job_id) and its attempts. */
  firing: string;
  attempt: string;
}

export function sparkTags(
  owner: string,
  { job, key, jobId, attemptId }: Pick<Submission, 'job' | 'key' | 'jobId' | 'attemptId'>,
): SparkTags {
  return {
    owner: ownerTag(owner),
    run: tag('run', owner, job, key),
    firing: tag('firing', owner, job, key, jobId),
    attempt: attemptTag(owner, attemptId),
  };
}

export function ownerTag(owner: string): string {
  return tag('owner', owner);
}

/** Of a service's applications: not the owner's tag, by which a takeover ends what earlier owners left. */
export function serviceTag(owner: string, service: string): string {
  return tag('service', owner, service);
}

export function attemptTag(owner: string, attemptId: string): string {
  return tag('attempt', owner, attemptId);
}

function tag(scope: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `hippo-${scope}-${hash.slice(0, 16)}`;
}

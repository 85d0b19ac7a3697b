/** What a resource manager says about an application, and what that means. Pure. */
import { type Json, type JsonObject, isJsonObject } from '../../../core/json.ts';

export type ApplicationStatus =
  /** Not at its end, whatever it is doing. */
  | 'alive'
  | 'succeeded'
  | 'failed'
  | 'killed'
  /** The resource manager does not know it (any more): it does not run, and how it ended cannot be learnt. */
  | 'gone';

export interface Application {
  /** `application_<cluster start>_<number>` */
  id: string;
  status: ApplicationStatus;
  /** In the resource manager's words, with what is known of the why; one line. */
  report: string;
  tags: readonly string[];
}

const MAX_DIAGNOSTICS = 500;
const APPLICATION_ID = /^application_\d+_\d+$/;

/** The end of the line that Hadoop's client writes, in plain and in structured (JSON) logs; nothing else of the line is ours to know. */
const SUBMITTED = /\bSubmitted application (application_\d+_\d+)(?=\s*$|")/gm;
/** What spark-submit writes when it stops to watch an application that may be alive. */
const LOST_SIGHT = /\bFailed to contact YARN for application application_\d+_\d+/;

/**
 * By the report's `state` and `finalStatus`
 * (https://hadoop.apache.org/docs/stable/hadoop-yarn/hadoop-yarn-site/ResourceManagerRest.html#Cluster_Application_API).
 * An application that ended without saying how did not succeed; a state that we do not know is no end.
 */
export function statusOf(state: string, finalStatus: string): ApplicationStatus {
  switch (state) {
    case 'FINISHED':
      return finalStatus === 'SUCCEEDED' ? 'succeeded' : finalStatus === 'KILLED' ? 'killed' : 'failed';
    case 'FAILED':
      return 'failed';
    case 'KILLED':
      return 'killed';
    default:
      return 'alive';
  }
}

/** An `app` of the REST API; null when it is none. */
export function readApplication(value: Json | undefined): Application | null {
  if (!isJsonObject(value)) return null;
  const { id, state } = value;
  if (!isApplicationId(id) || typeof state !== 'string') return null;
  const finalStatus = textOf(value, 'finalStatus');
  return {
    id,
    status: statusOf(state, finalStatus),
    report: describe(state, finalStatus, textOf(value, 'diagnostics')),
    tags: textOf(value, 'applicationTags')
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  };
}

export function goneApplication(id: string): Application {
  return { id, status: 'gone', report: 'not known to the resource manager', tags: [] };
}

export function isApplicationId(value: unknown): value is string {
  return typeof value === 'string' && APPLICATION_ID.test(value);
}

/** The applications that the log of a spark-submit says it has submitted. */
export function submittedIn(log: string): string[] {
  return [...new Set([...log.matchAll(SUBMITTED)].map(([, id]) => id ?? ''))];
}

/** Whether a spark-submit says that it has lost sight of its application: its exit code then says nothing about that one. */
export function hasLostSight(log: string): boolean {
  return LOST_SIGHT.test(log);
}

function describe(state: string, finalStatus: string, diagnostics: string): string {
  const ended = state === 'FINISHED' ? `${state} with final status ${finalStatus || 'unknown'}` : state;
  const why = diagnostics
    // eslint-disable-next-line no-control-regex -- what a cluster says may hold anything
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_DIAGNOSTICS);
  return why === '' ? ended : `${ended}: ${why}`;
}

function textOf(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

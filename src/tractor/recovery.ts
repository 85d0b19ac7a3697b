import { LAST_MOMENT, type Millis } from '../core/clock.ts';
import type { RecordRef } from '../core/record-ref.ts';
import type { Config } from '../config/schema.ts';
import type { Kafka } from '../kafka/port.ts';
import type { Snapshot } from '../observe/index.ts';

export type RecoveryId =
  'rerun-failed-run' | 'gone-job' | 'held-run' | 'paused-job' | 'owner-gone' | 'unanswered-trigger';

/** A stuck run or event: what, why, and the command that helps. */
export interface Stuck {
  recovery: RecoveryId;
  hippo: string | null;
  job: string | null;
  run_key: string | null;
  what: string;
  /** One sentence, without a full stop at its end. */
  why: string;
  /** What else matters before it is run again: a pause, a request, no client. */
  notes: readonly string[];
  /** What went wrong, without times: runs of one job with the same cause are shown together. null: shown by itself. */
  cause: string | null;
  /** To be typed by a person. */
  command: string;
  /** ISO 8601: since when. */
  since: string;
  /** Whether `--pull` does it. */
  pull: boolean;
  /** The events concerned, if it is about events. */
  events: readonly RecordRef[];
}

/** The outcome of a run that was pulled. */
export interface Outcome {
  hippo: string;
  job: string;
  run_key: string | null;
  what: string;
  /**
   * `asked`: its finish was not waited for; `no-client`: nor could it be, for no client of its hippo runs. `refused`: its hippo has
   * read the request and started nothing; `error` is why.
   */
  result: 'succeeded' | 'failed' | 'refused' | 'timed-out' | 'asked' | 'no-client';
  job_id: string | null;
  /** Seconds, as the finish message has it. */
  duration: number | null;
  /** One line. */
  error: string | null;
}

/** What pulling needs. */
export interface PullTools {
  kafka: Kafka;
  config: Config;
  /** The operator and the reason, which the hippos remember. */
  by: string;
  reason: string | null;
  /** Milliseconds to wait for the finish messages; null: do not wait. */
  timeout: number | null;
  /** Ends the waiting, not the runs. */
  signal: AbortSignal;
  /** Called with each outcome as soon as it is known. */
  onOutcome: (outcome: Outcome) => void;
}

/** Which hippos are looked at; null: all. */
export type Scope = ReadonlySet<string> | null;

/** One kind of recovery: one file in recoveries/, one line in recoveries/index.ts. */
export interface Recovery {
  id: RecoveryId;
  /** The heading of its part of the plan. */
  title: string;
  /** Finds what it could recover. Pure. */
  plan: (snapshot: Snapshot, scope: Scope) => Stuck[];
  /** Runs what it planned with `pull: true`, and returns each outcome; left out: an operator has to act. */
  pull?: (stuck: readonly Stuck[], tools: PullTools) => Promise<Outcome[]>;
}

/** Whether a hippo is looked at. */
export function inScope(scope: Scope, hippo: string): boolean {
  return scope === null || scope.has(hippo);
}

/** A time as ISO 8601. A time beyond the range of Date, such as one in nanoseconds, becomes the last possible Date. */
export function iso(at: Millis): string {
  return new Date(Math.min(at, LAST_MOMENT)).toISOString();
}

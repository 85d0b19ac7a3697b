import { LAST_MOMENT, type Millis } from '../core/clock.ts';
import type { RecordRef } from '../core/record-ref.ts';
import type { Config } from '../config/schema.ts';
import type { Kafka } from '../kafka/port.ts';
import type { Snapshot } from '../observe/index.ts';

export type RecoveryId = 'rerun-failed-run' | 'owner-gone' | 'unanswered-trigger';

/** Something that stands still: what, why, and the command that moves it. */
export interface Stuck {
  recovery: RecoveryId;
  hippo: string | null;
  job: string | null;
  run_key: string | null;
  what: string;
  /** One sentence, without a full stop at its end. */
  why: string;
  /** To be typed by a person. */
  command: string;
  /** ISO 8601: since when. */
  since: string;
  /** Whether `--pull` does it. */
  pull: boolean;
  /** The events concerned, if it is about events. */
  events: readonly RecordRef[];
}

/** What came of a run that was pulled. */
export interface Outcome {
  hippo: string;
  job: string;
  run_key: string | null;
  what: string;
  /** `asked`: its finish was not waited for. */
  result: 'succeeded' | 'failed' | 'timed-out' | 'asked';
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
  /** Who pulls, and why: the hippos remember it. */
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

/** One way of getting something unstuck: one file in recoveries/, one line in recoveries/index.ts. */
export interface Recovery {
  id: RecoveryId;
  /** The heading of its part of the plan. */
  title: string;
  /** Finds what it could recover. Pure. */
  plan: (snapshot: Snapshot, scope: Scope) => Stuck[];
  /** Moves what it planned with `pull: true`, and looks at what came of each; left out: a person has to. */
  pull?: (stuck: readonly Stuck[], tools: PullTools) => Promise<Outcome[]>;
}

/** Whether a hippo is looked at. */
export function inScope(scope: Scope, hippo: string): boolean {
  return scope === null || scope.has(hippo);
}

/** Of a time that is later than a Date can be, such as one in nanoseconds, the last that it can be. */
export function iso(at: Millis): string {
  return new Date(Math.min(at, LAST_MOMENT)).toISOString();
}

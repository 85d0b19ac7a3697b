/**
 * The client's state machine: `step(definition, state, event) → { state, effects }`, pure. Time comes only from events.
 * The host (client/host) executes the effects in order; see {@link Effect} for what each guarantees.
 */
import type { Json } from '../../core/json.ts';
import type { Millis } from '../../core/clock.ts';
import type {
  FrontierEvent,
  JobFinish,
  JobStart,
  ManualRequest,
  ReceivedMessage,
} from '../../messages/types.ts';

/** A run is one job for one window (`2017-04-28`, `201704`, `2017-04-28T05`) or, for `every: event`, one partition (`yyyymm=201704`). */
export interface RunId {
  job: string;
  key: string;
}

/** Coordinates of an input message. */
export interface Coordinates {
  topic: string;
  partition: number;
  /** Decimal text. */
  offset: string;
  traceparent?: string;
}

export type MachineEvent =
  | { type: 'message'; at: Millis; from: Coordinates; message: FrontierEvent | JobFinish | ManualRequest }
  | { type: 'tick'; at: Millis }
  | { type: 'job-exited'; at: Millis; run: RunId; attemptId: string; outcome: JobOutcome }
  /**
   * This client owns the hippo from now on: state has been read. What was running is dead and is run again, but for the
   * attempts in `alive`: their processes are known to this host, which will report their end.
   */
  | { type: 'ownership-gained'; at: Millis; alive?: readonly string[] }
  | { type: 'ownership-lost'; at: Millis };

export type JobOutcome =
  | { status: 'succeeded'; result?: Json }
  | {
      status: 'failed';
      exitCode: number | null;
      signal?: string;
      error: string;
      /** A further attempt would fail in the same way: the run is not retried. */
      permanent?: true;
    }
  /** Killed on request: a timeout or a cancellation. */
  | { status: 'cancelled'; reason: string }
  /** A hook said no. */
  | { status: 'vetoed'; reason: string };

export type RunStatus =
  /** Some needs are satisfied, not all. */
  | 'waiting'
  /** Complete; waits for a free place (concurrency), for a resume, or for its next attempt's time. */
  | 'ready'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  /** Its needs were not complete in time. */
  | 'timed-out';

export interface RunState extends RunId {
  status: RunStatus;
  /** Id of the present or last firing: `<job>_<epoch s>`; null before the first. */
  jobId: string | null;
  /** Attempts of the present firing, from 1; 0 before the first. */
  attempt: number;
  /** Attempts of the present firing that failed: counted against `retries`, unlike those that a takeover ended. */
  failures: number;
  /** Unique per attempt, also over restarts; tags the process. */
  attemptId: string | null;
  /** The coordinates that satisfied each need, by need id; those that the present firing was started with. */
  inputs: Readonly<Record<string, InputState>>;
  /** What has landed again since, by need: while it was firing, or with `on_reland: hold`. */
  relanded: Readonly<Record<string, InputState>>;
  /** It has ended, and is not run again before a person says so: why. */
  held?: string;
  /** When the run was opened. */
  firstInputAt: Millis;
  /** When the present or last firing began. */
  startedAt: Millis | null;
  /** When the present attempt began; null when none is running. */
  attemptAt: Millis | null;
  /** When the last firing, or a run that never fired, came to its end. */
  finishedAt: Millis | null;
  /** A ready run starts no earlier. */
  notBefore: Millis | null;
  /** Its missed deadline has been reported in a notice. */
  deadlineMissed: boolean;
  /** Asked to stop: its `job-exited` is awaited. A timeout counts as a failed attempt. */
  stopping?: { cause: 'timeout' | 'cancel'; reason: string };
  /** Last error, one line. */
  error?: string;
  /** It failed for a reason that a further firing does not change, such as arguments that are too long. */
  permanent?: true;
  /** The present or last firing was asked for by hand: by whom, why, and the coordinates of the request. */
  manual?: { by?: string; reason?: string; from: Coordinates };
}

/** A landed input. */
export interface InputState extends ReceivedMessage {
  /** The id of the need in its job, e.g. `btd.party`. */
  need: string;
  /** exec_date (or finish time), epoch seconds: newer is a re-landing, equal a duplicate. */
  version: number;
  /** The partition that landed, level name → value; empty for an unpartitioned table or a job. */
  values: Readonly<Record<string, string>>;
  at: Millis;
  /** The end of the last window that needs it, where that is later than `at`: it is remembered for longer. */
  neededUntil?: Millis;
}

/** A paused job, as its record `<hippo>/paused/<job>` says. */
export interface Pause {
  by?: string;
  reason?: string;
  at: Millis;
}

/** Effects, in the order in which the host must carry them out. */
export type Effect =
  /**
   * Write these state records. All `persist` and `publish` effects of a batch of steps, and the input offsets that
   * they reflect, are one Kafka transaction. A null value deletes the record.
   */
  | { type: 'persist'; key: string; value: Json | null }
  | { type: 'publish'; role: 'start' | 'finish'; message: JobStart | JobFinish; traceparent: string | null }
  /** Start the job's process; only after the transaction that holds its intent has been committed. */
  | { type: 'submit'; submission: Submission }
  /** Stop an attempt's process; a `job-exited` event follows. */
  | { type: 'cancel'; run: RunId; attemptId: string; reason: string }
  /** Something that a person should know. */
  | { type: 'notice'; level: 'info' | 'warning' | 'error'; run?: RunId; text: string };

/** Everything that the host needs to start one attempt. */
export interface Submission extends RunId {
  jobId: string;
  attempt: number;
  attemptId: string;
  /** Window bounds, epoch ms; null for `every: event`. */
  window: { start: Millis; end: Millis } | null;
  /** Program and arguments, templates rendered. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  inputs: readonly InputState[];
  /** Milliseconds. The machine cancels the attempt after it, on a tick: the host need not. */
  timeout: Millis | null;
  traceparent: string | null;
}

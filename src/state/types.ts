import type { Millis } from '../core/clock.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { RecordRef } from '../core/record-ref.ts';
import type { Watermark } from '../core/watermark.ts';
import type { AlertCondition, MessageRef, Metrics, ReceivedMessage } from '../messages/types.ts';

/** The value of a record: JSON, but for what is packed. */
export type StateValue = Json | Uint8Array;

/** A run is one job for one window (`2017-04-28`, `201704`, `2017-04-28T05`) or, for `every: event`, one partition (`yyyymm=201704`). */
export interface RunId {
  job: string;
  key: string;
}

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

/** Of a timed job. */
export interface TimedState {
  /** All windows that end by then are decided: they have run, or were left out. Before its first: when the hippo was first owned with it. */
  through: Millis;
}

/** Of a job with `keep_result`: what its last success has written as its result. */
export interface LastResult {
  /** Of that firing. */
  jobId: string;
  result: Json;
}

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
  /** Its job has many needs: `inputs` and `relanded` are empty in its own record, and each input has a record, a {@link RunInput}. */
  apart?: true;
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
  /** Of a job that builds a model. */
  build?: BuildState;
  /** The present or last firing was asked for by hand: by whom, why, and the coordinates of the request. */
  manual?: {
    by?: string;
    reason?: string;
    from: MessageRef;
    /** It did not run to its end: it was marked as done. */
    marked?: true;
  };
}

/** What a firing builds. */
export interface BuildState {
  /** What BUILD_MODEL has set. */
  readonly params?: JsonObject;
  /** The version that the present or last attempt writes. */
  readonly version?: string;
  /** The version that served when that attempt began; null: none did. */
  readonly parent?: string | null;
}

/** What has landed for one need of a run whose inputs have records of their own: {@link RunState.apart}. */
export interface RunInput {
  /** Of the run. */
  key: string;
  /** As in {@link RunState.inputs}. */
  landed?: InputState;
  /** As in {@link RunState.relanded}. */
  relanded?: InputState;
}

/** A landed input. */
export interface InputState extends ReceivedMessage {
  /** The id of the need in its job, e.g. `btd.party`. */
  need: string;
  /**
   * exec_date, finish time or, of a message need, the record's timestamp, epoch seconds: newer is a re-landing, equal a duplicate.
   * For message needs a higher offset of the partition is newer, too.
   */
  version: number;
  /** The partition that landed, level name → value; empty for an unpartitioned table or a job. */
  values: Readonly<Record<string, string>>;
  at: Millis;
  /** The end of the last window that needs it, where that is later than `at`: it is remembered for longer. */
  neededUntil?: Millis;
}

/** A paused job, source or service, as its record `<hippo>/paused/<job>` says. */
export interface Pause {
  by?: string;
  reason?: string;
  at: Millis;
  /**
   * The timestamp of the record that asked for it, where another topic's records may say the opposite: of a KILL, and of a resume
   * of what a KILL may stop. Of two such records the one that was written later counts, in whichever order they are read.
   */
  written?: Millis;
}

/** What a hippo has of a model: its record `<hippo>/model/<model>`. Every client that serves the model reads it; the owner writes it. */
export interface ModelState {
  /** The version that serves; null: none does yet. */
  readonly serving: string | null;
  /** The version that served before: a rollback goes there. */
  readonly previous: string | null;
  /** Since when {@link serving} serves; null: none does yet. */
  readonly since: Millis | null;
  /** Who asked for that; null: the builder's metrics decided. */
  readonly by: string | null;
  readonly reason: string | null;
  /** The oldest first. */
  readonly versions: readonly ModelVersion[];
  /** Their folders are to be removed by the builder; they cannot be promoted. The oldest first. */
  readonly retired: readonly string[];
  /** When the record of the last resume of the builder was written: an older KILL does nothing. */
  readonly resumed?: Millis;
}

/** One version of a model. */
export interface ModelVersion {
  readonly version: string;
  /** When its builder had ended. */
  readonly builtAt: Millis;
  /** The firing that has built it. */
  readonly jobId: string;
  readonly metrics: Metrics;
  /** How many rows it was trained with; null: the builder has not told. */
  readonly rows: number | null;
  /** The version that served when this one began to be built. */
  readonly parent: string | null;
  /** Whether it was promoted when it was built. */
  readonly promoted: boolean;
  /** Why it was, or was not, one line. */
  readonly why: string;
  /** Of its manifest.json, hexadecimal; null: the builder has not told. */
  readonly manifestSha256: string | null;
}

/**
 * What the clients of a hippo do with a service, besides its pause: its record `<hippo>/service/<service>`. Every client that has
 * the service reads it; the owner writes it.
 */
export interface ServiceState {
  /** The last time that it was resumed: a client that has given it up since starts it again. */
  readonly resumed?: Pause;
  /** The last message of its `reload_on`. */
  readonly reload?: Reload;
}

/** A message on which a service reloads. */
export interface Reload {
  readonly at: Millis;
  readonly from: MessageRef;
  /** As it would be published. */
  readonly message: Json;
}

/**
 * An alert that is open, or whose end has not been delivered to all receivers yet: the record `<hippo>/alert/<alert id>`. It is
 * removed when it is resolved and delivered.
 */
export interface AlertState {
  readonly condition: AlertCondition;
  /** The job, service, source or topic that it is about. */
  readonly subject: string;
  readonly runKey?: string;
  /** What has happened, one line. */
  readonly text: string;
  /** Commands to type. */
  readonly next?: readonly string[];
  readonly since: Millis;
  /** Left out: it is firing. */
  readonly resolvedAt?: Millis;
  /** Why it is over, one line. */
  readonly over?: string;
  /** Of dead letters: how many there have been since it began, and when the last one came, epoch ms. */
  readonly count?: number;
  readonly last?: Millis;
  /** What could not be published yet, because the alert topic could not be written to. */
  readonly owed?: 'firing' | 'resolved' | 'both';
  /** By receiver: what it has taken last. */
  readonly delivered?: Readonly<Record<string, 'firing' | 'resolved'>>;
}

/** How far it is judged which windows of a job are absent: the record `<hippo>/expected/<job>`. */
export interface ExpectedState {
  /** The first window that begins then or later is the first that was expected. */
  readonly since: Millis;
  /** The first window that begins then or later is the next to be judged. A time, because a holiday may take a window away. */
  readonly from: Millis;
}

/** What the state has of a source besides its announcements, as its record `<hippo>/source/<source>` says. */
export interface SourceState {
  /** A complete scan has come to its end: with `start_from: end` only what comes after it is announced. */
  readonly isListed: boolean;
  /** How far scans have read what only grows: all up to there is announced. */
  readonly watermark?: Watermark;
  /** Left out before the first scan has ended. */
  readonly lastScan?: ScanReport;
}

/** One scan of a source. */
export interface ScanReport {
  /** When it ended. */
  readonly at: Millis;
  /** How long it took, milliseconds. */
  readonly took: Millis;
  /** How many landings there are. */
  readonly listed: number;
  readonly announced: number;
  /** What looks like a landing and is none: how many, and some of them. */
  readonly skipped: number;
  readonly skips: readonly { readonly path: string; readonly reason: string }[];
  /** Why it did not come to its end, one line. */
  readonly error?: string;
  /** The requests that had been read when it began. */
  readonly requests?: readonly RecordRef[];
}

/** The client of an {@link OwnerRecord} that `hippo forget` writes in the place of what it has removed. */
export const FORGETTER = 'hippo forget';

/** The client that owns a hippo. It writes this record first of all, and reads the state up to it. */
export interface OwnerRecord {
  /** Names the process for as long as it lives. */
  client: string;
  /** Names this takeover. */
  token: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  since: string;
  /** The jobs of its hippo.yaml, each with its `every`; left out by clients that did not write it. */
  jobs?: Readonly<Record<string, string>>;
  /** Greater than that of every owner before: a decimal number. `$HIPPO_EPOCH` of its services. */
  epoch?: string;
}

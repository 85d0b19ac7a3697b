/**
 * The client's state machine: `step(definition, state, event) → { state, effects }`, pure. Time comes only from events.
 * The host (client/host) executes the effects in order; see {@link Effect} for what each guarantees.
 */
import type { Json, JsonObject } from '../../core/json.ts';
import type { RecordRef } from '../../core/record-ref.ts';
import type { Millis } from '../../core/clock.ts';
import type { Watermark } from '../../core/watermark.ts';
import type { ConditionFields } from '../../conditions/record.ts';
import type {
  Alert,
  FrontierEvent,
  HippoMessage,
  JobFinish,
  JobStart,
  MessageRef,
  ModelMessage,
  Partition,
} from '../../messages/types.ts';
import type { ProducedEvent } from '../../messages/index.ts';
import type { FoundLanding } from '../../sources/index.ts';
import type { InputState, LandingHash, RunId, ScanReport, StateValue } from '../../state/index.ts';

export type MachineEvent =
  | {
      type: 'message';
      at: Millis;
      from: MessageRef;
      message: HippoMessage;
      /** What conditions see of its record; left out: the message as it would be written at `at`. */
      record?: ConditionFields;
    }
  | { type: 'tick'; at: Millis }
  | { type: 'job-exited'; at: Millis; run: RunId; attemptId: string; outcome: JobOutcome }
  /**
   * This client owns the hippo from now on: state has been read. What was running is dead and is run again, but for the
   * attempts in `alive`: their processes are known to this host, which will report their end. It knows, too, for how long
   * each has been running. Until the next such event the jobs in `withheld` start no run (see {@link MachineState.withheld}), and
   * with `alertsWithheld` no alert is published.
   */
  | {
      type: 'ownership-gained';
      at: Millis;
      alive?: ReadonlyMap<string, Millis>;
      withheld?: ReadonlySet<string>;
      alertsWithheld?: boolean;
    }
  | { type: 'ownership-lost'; at: Millis }
  /**
   * A source lists these landings, which are new, changed, or were missing before. The same ones may be told again: what is
   * announced is not announced again.
   */
  | { type: 'landings-found'; at: Millis; source: string; scan: number; landings: readonly ToldLanding[] }
  /**
   * Clients of an http source report these landings. One whose id is known is not announced again. They are announced in one
   * step, so all of them or none.
   */
  | { type: 'landings-reported'; at: Millis; source: string; landings: readonly ReportedLanding[] }
  /** Some of what is announced, and a complete scan does not list. Told before its end. */
  | { type: 'landings-missed'; at: Millis; source: string; missed: readonly LandingHash[] }
  /** A scan of a source has come to its end; what it found and missed has been told before. */
  | { type: 'scan-ended'; at: Millis; source: string; scan: Scan }
  /** A service has announced these, in this order. Those that it has announced before change nothing. */
  | { type: 'events-told'; at: Millis; service: string; events: readonly ToldEvent[] }
  /** All that had been written to the inputs by `upTo`, or before, has been told. `upTo` is not later than `at`. */
  | { type: 'caught-up'; at: Millis; upTo: Millis }
  /** Receivers have taken these alerts, or their ends. Told again, it changes nothing. */
  | { type: 'alerts-delivered'; at: Millis; deliveries: readonly AlertDelivery[] }
  /** A record of an input topic was rejected: it is a dead letter. */
  | ({ type: 'rejected'; at: Millis } & Rejected)
  /** These rights are denied to the client's user; with `isComplete` no others are. Told again, it changes nothing. */
  | { type: 'rights-denied'; at: Millis; rights: readonly DeniedRight[]; isComplete: boolean }
  /** How a service of this client is. Told again, it changes nothing. */
  | ({ type: 'service-told'; at: Millis } & ServiceTold)
  /**
   * The wall clock was set, or the machine slept: times that the state holds of work under way are `by` milliseconds (negative:
   * back) away from the new clock. `at` is the new time. Between jumps `at` advances as time really passes.
   */
  | { type: 'clock-jumped'; at: Millis; by: Millis }
  /**
   * A record of this run, as an earlier step has it, is larger than its topic takes, and was not written. Each such event makes
   * the run's record smaller; at the last the run is forgotten.
   */
  | {
      type: 'record-too-large';
      at: Millis;
      run: RunId;
      error: string;
      /** Whether the process of its present attempt was started; false: nothing is to be stopped. */
      isStarted: boolean;
    };

/** A record that could not be taken in. */
export interface Rejected {
  readonly topic: string;
  /** One line. */
  readonly reason: string;
}

/** A topic that the client may not read, or not write to. */
export interface DeniedRight {
  readonly topic: string;
  /** What Kafka denies, one line. */
  readonly text: string;
  /** Commands to type. */
  readonly next: readonly string[];
}

/** What a client says of one of its services. */
export interface ServiceTold {
  readonly service: string;
  /** `crash-loop`: it keeps ending, and is started again; `gave-up`: it is not; `fine`: it has been well for long. */
  readonly condition: 'crash-loop' | 'gave-up' | 'fine';
  /** One line. */
  readonly text: string;
}

/** A receiver has taken an alert. */
export interface AlertDelivery {
  /** Its id, as in {@link MachineState.alerts}. */
  readonly alert: string;
  readonly receiver: string;
  readonly state: 'firing' | 'resolved';
}

/** A landing that a source lists. */
export interface ToldLanding extends Omit<FoundLanding, 'found'> {
  /** {@link landingHash} of its id. */
  readonly hash: LandingHash;
  /** In the place of all that was found: {@link fingerprintOf}. */
  readonly fingerprint: number;
}

/** A table event that a service announces. */
export interface ToldEvent {
  /** Names the landing within the service: an id is announced once. */
  readonly id: string;
  readonly db: string;
  readonly table: string;
  readonly partition: Partition;
  /** Left out: the service's. */
  readonly method?: string;
  /** When it landed, epoch ms. */
  readonly landedAt: Millis;
  readonly extra: JsonObject;
  /** Of all that the service has said of it: {@link fingerprintOf}. */
  readonly fingerprint: number;
}

/** A landing of which the world outside has told. */
export interface ReportedLanding {
  /** Names the partition in its source for ever. */
  readonly id: string;
  readonly partition: Partition;
  readonly landedAt: Millis;
  /** Left out: the source's. */
  readonly method?: string;
  /** The report: the id under which it is known for as long as ended runs are, and a hash of all that it says. */
  readonly report: { readonly id: string; readonly fingerprint: number };
}

export interface Scan extends Omit<ScanReport, 'announced' | 'at'> {
  /** Counts the scans of this client. */
  readonly number: number;
  /** It has listed all that there is. */
  readonly isComplete: boolean;
  /** It has listed the place, if not all that is in it. */
  readonly hasListed: boolean;
  /** How far it has read, where it reads what only grows. */
  readonly watermark?: Watermark;
}

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

/** Effects, in the order in which the host must carry them out. */
export type Effect =
  /**
   * Write these state records. All `persist` and `publish` effects of a batch of steps, and the input offsets that
   * they reflect, are one Kafka transaction. A null value deletes the record.
   */
  | { type: 'persist'; key: string; value: StateValue | null }
  | { type: 'publish'; role: 'start' | 'finish'; message: JobStart | JobFinish; traceparent: string | null }
  | { type: 'publish'; role: 'frontier'; message: FrontierEvent; traceparent: string | null }
  | { type: 'publish'; role: 'model'; message: ModelMessage; traceparent: string | null }
  | { type: 'publish'; role: 'alert'; message: Alert; traceparent: string | null }
  /** Start the job's process; only after the transaction that holds its intent has been committed. */
  | { type: 'submit'; submission: Submission }
  /** Stop an attempt's process; a `job-exited` event follows. */
  | { type: 'cancel'; run: RunId; attemptId: string; reason: string }
  /** Scan a source now, because a person asked for it. */
  | { type: 'scan'; source: string; request: RecordRef | null }
  /** A source, or a service, has announced these landings; the event of each is among the effects. */
  | { type: 'announced'; source: string; table: string; landings: readonly AnnouncedLanding[] }
  /** A run has succeeded, and an event of an output of its job is among the effects. */
  | { type: 'produced'; run: RunId; jobId: string; event: ProducedEvent }
  /** Something that a person should know. */
  | { type: 'notice'; level: 'info' | 'warning' | 'error'; run?: RunId; text: string };

/** A landing for which an event is published. */
export interface AnnouncedLanding {
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
  partition: string;
  /** Of the event, epoch seconds. */
  execDate: number;
}

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
  /** Of a job that builds a model: `$HIPPO_MODEL_FILE`. */
  model?: JsonObject;
  /** Of a job with `keep_result`: the result of its last success; null: there is none. */
  lastResult: Json | null;
}

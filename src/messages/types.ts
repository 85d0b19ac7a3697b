import type { JsonObject } from '../core/json.ts';
import type { RecordRef } from '../core/record-ref.ts';

/** One level of a partition. The name is empty where the dialect carries none. */
export interface PartitionField {
  name: string;
  value: string;
}

/** A partition, outermost level first; empty for an unpartitioned table. */
export type Partition = readonly PartitionField[];

/**
 * How a frontier wrote its event. All dialects that exist in the wild are read; `pairs` is written by default.
 *
 * - `pairs`: `partition: [{name, value}]`, `exec_date` epoch seconds as a string
 * - `arrays`: `partition_fields` and `partition_values` arrays, `exec_date` a number
 * - `scalars`: `partition_fields: "a/b"`, `partition_values: "1/2"`, `timestamp` a number
 * - `legacy`: `partitions: [values]`, `exec_date: "2017/04/05T00:00:00Z"`
 */
export const FRONTIER_DIALECTS = ['pairs', 'arrays', 'scalars', 'legacy'] as const;
export type FrontierDialect = (typeof FRONTIER_DIALECTS)[number];

/** Methods seen in the wild; others are allowed. */
export const FRONTIER_METHODS = ['partition', 'overwrite_partition', 'overwrite', 'append'] as const;

/** A table's partitions have landed. */
export interface FrontierEvent {
  kind: 'frontier';
  dialect: FrontierDialect;
  db: string;
  table: string;
  /** One entry in every dialect but `legacy`, which may list several. An unpartitioned table has one, empty, partition. */
  partitions: readonly Partition[];
  method: string;
  /** Epoch seconds. */
  execDate: number;
  /** Fields that the dialect does not know, kept for a round trip. */
  extra: JsonObject;
}

/** Names a message by its record, with its trace. */
export interface MessageRef extends RecordRef {
  traceparent?: string;
}

/** A message that a run was started with. */
export interface ReceivedMessage extends MessageRef {
  /** The need that it satisfied, e.g. `btd.party` or `other.hippo/job`. */
  need?: string;
}

/** A job has been submitted (topic `hippo-start`). */
export interface JobStart {
  kind: 'start';
  hippoName: string;
  jobName: string;
  /** `<job_name>_<epoch s>` */
  jobId: string;
  /** Epoch seconds. */
  startTime: number;
  /** Ours: the key of the run's window (`2017-04-28`, `201704`) or partition (`yyyymm=201704`). */
  runKey?: string;
  /** Ours: what the run was started with. */
  receiveMsgs?: readonly ReceivedMessage[];
  /** How many there are, instead of a list that would be long. */
  receiveCount?: number;
  /** Everything else, kept for a round trip. */
  extra: JsonObject;
}

/** A job has ended (topic `hippo-finish`). */
export interface JobFinish {
  kind: 'finish';
  hippoName: string;
  jobName: string;
  jobId: string;
  isSuccess: boolean;
  /** Epoch seconds. */
  finishTime: number;
  /** Seconds. */
  durationTime: number;
  runKey?: string;
  receiveMsgs?: readonly ReceivedMessage[];
  /** How many there are, instead of a list that would be long. */
  receiveCount?: number;
  /** Ours: why it failed, with the tail of its log. */
  errorMsg?: string;
  extra: JsonObject;
}

/** What an operator may ask of a hippo (topic `hippo-schedule`). Without an action it is `run`. */
export type ScheduleAction = 'run' | 'cancel' | 'pause' | 'resume' | 'mark_success';
export const SCHEDULE_ACTIONS = ['run', 'cancel', 'pause', 'resume', 'mark_success'] as const;

/** Do something by hand; `run`: now, whatever is missing. */
export interface ManualRequest {
  kind: 'schedule';
  hippoName: string;
  jobName: string;
  action: ScheduleAction;
  /** Ours: which run; without it, that of the present window. */
  runKey?: string;
  /** Ours: who asked, and why. */
  by?: string;
  reason?: string;
  extra: JsonObject;
}

/** One service's sign of life (topic `service-health`). An existing manager parses exactly the first eleven fields. */
export interface ServiceHealth {
  kind: 'health';
  clientIp: string;
  path: string;
  serviceName: string;
  monitorPid: number;
  servicePid: number;
  /** Epoch milliseconds. */
  execTime: number;
  isSuccess: 0 | 1;
  errorMsg: string;
  coordAddress: string;
  /** Milliseconds. */
  interval: number;
  user: string;
  extra: JsonObject;
}

/** What an alert is about. */
export const ALERT_CONDITIONS = [
  'deadline',
  'absent',
  'gave-up',
  'failed',
  'crash-loop',
  'dead-letters',
  'paused',
  'denied',
] as const;
export type AlertCondition = (typeof ALERT_CONDITIONS)[number];

/** Something that a person has to look at (topic `hippo-alert`), or that is over: both have the same id. */
export interface Alert {
  kind: 'alert';
  /** Names this occurrence for ever. */
  alertId: string;
  state: 'firing' | 'resolved';
  condition: AlertCondition;
  hippoName: string;
  /** The job, service, source or topic that it is about. */
  subject: string;
  runKey?: string;
  /** When it began, epoch seconds. */
  since: number;
  /** When this message was decided, epoch seconds. */
  time: number;
  /** What has happened, one line. */
  text: string;
  /** Commands to type. */
  next?: readonly string[];
  extra: JsonObject;
}

/** What is asked of, or has become of, a model (topic `hippo-model`). Messages of other names are allowed. */
export type ModelMessage = BuildModel | NewModel | PromoteModel | KillModel | OtherModelMessage;

interface OfModel {
  kind: 'model';
  /** The model that it is about. */
  model: string;
  /** Everything else, kept for a round trip. */
  extra: JsonObject;
}

/** A version is to be built. */
export interface BuildModel extends OfModel {
  message: 'BUILD_MODEL';
  /** Left out: every hippo that builds the model. */
  hippoName?: string;
  /** Of the builder, as `params` of hippo.yaml allows them. */
  params?: JsonObject;
  /** Who asked, and why. */
  by?: string;
  reason?: string;
}

/** What a version was measured to be, by name. */
export type Metrics = Readonly<Record<string, number>>;

/** A version, and how good it is. */
export interface MeasuredVersion {
  version: string;
  metrics: Metrics;
}

/** A version was built, or one that was built before serves from now on. */
export interface NewModel extends OfModel {
  message: 'NEW_MODEL';
  version: string;
  /** Whether it serves from now on. */
  promoted: boolean;
  hippoName: string;
  /** The firing that has built it. */
  jobId?: string;
  /** The folder with all versions of the model. */
  location: string;
  metrics: Metrics;
  /** The version that served when this one began to be built. */
  parent: string | null;
  /** The version that serves after this message. */
  serving: MeasuredVersion | null;
  /** By how much a version may be worse than the one that serves, and be promoted. */
  margin?: number;
  /** Of a promotion by hand: who asked, and why. */
  by?: string;
  reason?: string;
  /** Epoch seconds. */
  time: number;
}

/** A version that was built before is to serve. */
export interface PromoteModel extends OfModel {
  message: 'PROMOTE_MODEL';
  version: string;
  hippoName?: string;
  /** The version that served when the operator decided; null: none. Left out: any. */
  expect?: string | null;
  by?: string;
  reason?: string;
}

/** What `KILL` can stop. */
export const KILL_TARGETS = ['builder', 'api'] as const;
export type KillTarget = (typeof KILL_TARGETS)[number];

/** The builder, or the services of the model, are to stop until they are resumed. */
export interface KillModel extends OfModel {
  message: 'KILL';
  hippoName?: string;
  /** Left out: both. */
  target?: KillTarget;
  by?: string;
  reason?: string;
}

/** Any other name, or one of the names above without a model. */
export interface OtherModelMessage {
  kind: 'model';
  message: string;
  model?: string;
  extra: JsonObject;
}

export type HippoMessage =
  FrontierEvent | JobStart | JobFinish | ManualRequest | ServiceHealth | Alert | ModelMessage;
export type MessageKind = HippoMessage['kind'];

/** Why bytes could not be parsed as a message. `key` is the path inside the JSON, where there is one. */
export interface Rejection {
  reason: string;
  key?: string;
}

export type Parsed<T> = { ok: true; message: T } | { ok: false; rejection: Rejection };

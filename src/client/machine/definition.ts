import type { Millis } from '../../core/clock.ts';
import type { JobConfig } from '../../config/schema.ts';
import type { ParamRules } from '../../messages/params.ts';
import type { FrontierDialect, HippoMessage } from '../../messages/types.ts';
import type { ArgumentTemplate, Calendar, OutputTemplate, Window } from '../../windows/index.ts';
import type { WindowUnit } from '../../windows/units.ts';
import type { InputState } from '../../state/index.ts';
import type { Arrived } from './arrival.ts';
import type { NeedCondition } from './condition.ts';
import type { Inputs } from './state.ts';

/** The jobs of one hippo, compiled: what {@link step} needs to know besides the state. Immutable. */
export interface Definition {
  readonly hippo: string;
  /** `<prefix>/<name>`: tells it from hippos of the same name whose topics have another prefix. */
  readonly identity: string;
  readonly calendar: Calendar;
  /** How long ended runs and landed inputs are remembered, milliseconds. */
  readonly keep: Millis;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
  readonly sources: ReadonlyMap<string, SourceDefinition>;
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly models: ReadonlyMap<string, ModelDefinition>;
  /** The model that a job builds, by job. */
  readonly builders: ReadonlyMap<string, string>;
  /** undefined: nothing is alerted. */
  readonly alerts: AlertsDefinition | undefined;
  /** A run of a job with more needs fails. */
  readonly mostNeeds: number;
  /** The needs by subject, so that a message that concerns none costs one look-up. */
  readonly listeners: ReadonlyMap<string, Listening>;
  /** What makes services reload, by subject. */
  readonly reloads: ReadonlyMap<string, readonly ReloadListener[]>;
}

/** What the machine needs to know of alerts; how they are delivered is the host's. */
export interface AlertsDefinition {
  /** The names of the receivers. An alert is kept until they have taken its end. */
  readonly receivers: readonly string[];
  /** A pause of a job, source or service that is longer needs a person, milliseconds; left out: none does. */
  readonly pausedAfter?: Millis;
  /** Of a topic of which no record has been rejected for so long, the alert is over, milliseconds; left out: dead letters do not alert. */
  readonly lettersQuiet?: Millis;
}

/** The needs of one subject. */
export interface Listening {
  /** Those that the message may concern, in the order of the file. */
  of(message: HippoMessage): readonly Listener[];
}

export interface Listener {
  readonly job: JobDefinition;
  readonly need: Need;
}

/** What the machine needs to know of a source; how it is scanned is the host's. */
export interface SourceDefinition {
  readonly name: string;
  readonly db: string;
  readonly table: string;
  readonly method: string;
  readonly dialect: FrontierDialect;
  /** Of the first scan that comes to its end: announce what is there, or only remember it. */
  readonly startFrom: 'beginning' | 'end';
  /** A landing is announced when it has not changed for so long, milliseconds. */
  readonly settle: Millis;
  /** Clients report what has landed: it is not scanned. */
  readonly takesReports?: true;
}

/** What the machine needs to know of a service; how it is kept running is the host's. */
export interface ServiceDefinition {
  readonly name: string;
  /** Of the events that it announces. */
  readonly method: string;
  readonly dialect: FrontierDialect;
}

/** A model of hippo.yaml. */
export interface ModelDefinition {
  readonly name: string;
  /** The job that builds it. */
  readonly builder: string;
  /** The services that serve it. */
  readonly services: readonly string[];
  /** The folder of its versions, as a URL. */
  readonly location: string;
  /** null: each version is promoted. */
  readonly promote: {
    readonly metric: string;
    readonly better: 'higher' | 'lower';
    /** By how much a version may be worse than the one that serves. */
    readonly margin: number;
  } | null;
  /** Age in milliseconds. */
  readonly keep: { readonly versions: number; readonly age: Millis };
  /** What BUILD_MODEL may set. */
  readonly params: ParamRules;
}

export interface ReloadListener {
  readonly service: ServiceDefinition;
  readonly need: Need;
}

export interface JobDefinition {
  readonly name: string;
  /** null for `every: event`: its runs are named by partitions. */
  readonly unit: WindowUnit | null;
  /** It has no needs, and runs at a time of each window. */
  readonly timing?: Timing;
  /** All of these must be satisfied. */
  readonly groups: readonly NeedGroup[];
  /** The needs of all groups, in the order of the file. */
  readonly needs: readonly Need[];
  /** How many inputs it takes at least to satisfy them. */
  readonly least: number;
  /** It has many needs: the inputs of its runs have records of their own. */
  readonly isLarge: boolean;
  readonly program: readonly string[];
  readonly args: readonly ArgumentTemplate[];
  readonly env: readonly (readonly [string, ArgumentTemplate])[];
  /** What it has written when it has succeeded. */
  readonly outputs: readonly OutputDefinition[];
  readonly policy: Pick<
    JobConfig,
    | 'timeout'
    | 'deadline'
    | 'expected'
    | 'give_up'
    | 'retries'
    | 'concurrency'
    | 'order'
    | 'on_reland'
    | 'while_paused'
    | 'keep_result'
  >;
}

/** A table, or a partition of it, that a job writes: an event of it is published with each success. */
export interface OutputDefinition {
  readonly db: string;
  readonly table: string;
  /** Empty for an unpartitioned table. */
  readonly levels: readonly { readonly name: string; readonly value: OutputTemplate }[];
  readonly method: string;
  readonly dialect: FrontierDialect;
  /** One of its levels speaks of the job's result. */
  readonly needsResult: boolean;
}

/** When a timed job runs. */
export interface Timing {
  readonly unit: WindowUnit;
  /** Of the windows that were missed while no client ran: all, or the newest only. */
  readonly catchUp: 'newest' | 'all';
  /** When the run of a window is due. */
  dueAt(window: Window): Millis;
}

/** `atLeast` of the members; a plain need is a group of one. */
export interface NeedGroup {
  readonly atLeast: number;
  readonly members: readonly Need[];
}

/** Where a run stands in time; `window` is null for `every: event`. */
export interface Slot {
  readonly key: string;
  readonly window: Window | null;
}

/** What a message brought for a need. */
export interface Landing {
  /** What landed, as the key of the landing in the state has it: `yyyymm=201704`, `2017-04-28`, … */
  readonly value: string;
  /** The partition's levels. */
  readonly values: Readonly<Record<string, string>>;
  /** The runs that it serves. At least one. */
  readonly slots: readonly Slot[];
  /** Epoch seconds: of two landings of one value the later one counts. */
  readonly version: number;
}

export interface FixedLevel {
  readonly name: string;
  readonly value: string;
  /** From 0. */
  readonly at: number;
}

/** One thing that a job needs: a table's partition, another job's run, or any message of a topic. */
export interface Need {
  /** Unique in its job: `btd.party`, `other.hippo/job`, `btd.party{region=us}`, `model`. */
  readonly id: string;
  /** What a message must be about: {@link tableSubject}, {@link jobSubject}, {@link topicSubject}. */
  readonly subject: string;
  /** What {@link Landing.version} is of the message. */
  readonly dates: 'exec_date' | 'finish time' | 'timestamp';
  /** `when` of a table or job: what it refuses is as if it had not landed, and the log says so. */
  readonly when?: NeedCondition;
  /** `where` of a message need: which messages of the topic it is about. */
  readonly where?: NeedCondition;
  /** The levels whose value it fixes, and where they stand among its levels: it concerns no partition with other values. */
  readonly fixed: readonly FixedLevel[];
  /** Whether a landing identifies one run, and so may open it. A month that a daily job needs does not: it serves each of the month's days. */
  readonly identifiesRun: boolean;
  /** What of the message concerns this need, whatever its conditions say; empty when nothing does. */
  landings(arrived: Arrived): Landing[];
  /** What must land for that run, as in {@link Landing.value}: the inverse of {@link Landing.slots}. */
  expects(slot: Slot): string;
}

/** Whether something must land for each window of the job: where nothing has by the deadline, the window is absent. */
export function expectsWindows({ unit, needs, policy }: JobDefinition): boolean {
  return unit !== null && needs.length > 0 && policy.deadline !== undefined && policy.expected;
}

/** Whether these inputs, by need, satisfy all groups of a job's needs. */
export function isComplete(job: JobDefinition, inputs: Pick<Inputs, 'has' | 'size'>): boolean {
  return inputs.size >= job.least && job.groups.every((group) => isSatisfied(group, inputs));
}

export function isSatisfied({ atLeast, members }: NeedGroup, inputs: Pick<Inputs, 'has'>): boolean {
  return members.filter(({ id }) => inputs.has(id)).length >= atLeast;
}

/** The inputs in the order of the file; those of needs that it does not have any more come last. */
export function inOrder(job: JobDefinition, inputs: Inputs): InputState[] {
  const known = job.needs.flatMap(({ id }) => inputs.get(id) ?? []);
  if (known.length === inputs.size) return known;
  const ids = new Set(job.needs.map(({ id }) => id));
  return [...known, ...[...inputs.values()].filter(({ need }) => !ids.has(need))];
}

/** Hive and Spark ignore case in names of tables, and so do needs. */
export function tableSubject(db: string, table: string): string {
  return `table:${db}.${table}`.toLowerCase();
}

export function jobSubject(hippo: string, job: string): string {
  return `job:${hippo}/${job}`;
}

/** @param role of the topic: the kind of its messages */
export function topicSubject(role: HippoMessage['kind']): string {
  return `topic:${role}`;
}

/** What a message is about, as {@link Need.subject} says it. */
export function subjectsOf(message: HippoMessage): readonly string[] {
  const topic = topicSubject(message.kind);
  if (message.kind === 'frontier') return [tableSubject(message.db, message.table), topic];
  return message.kind === 'finish' ? [jobSubject(message.hippoName, message.jobName), topic] : [topic];
}

/** A hippo for tests: jobs as they stand in hippo.yaml, and a machine that remembers what it was told and what it did. */
import type * as v from 'valibot';
import {
  type Definition,
  type Effect,
  type JobOutcome,
  type MachineEvent,
  type MachineState,
  type Submission,
  compileJobs,
  emptyState,
  findRun,
  listRuns,
  restore,
  step,
} from '../../../src/client/machine/index.ts';
import type { NeedLimits } from '../../../src/client/machine/compile.ts';
import type { AlertsDefinition, SourceDefinition } from '../../../src/client/machine/definition.ts';
import type { RunState, StateValue } from '../../../src/state/index.ts';
import { type configSchema, parseConfig } from '../../../src/config/schema.ts';
import type { Json } from '../../../src/core/json.ts';
import { compileCondition } from '../../../src/conditions/index.ts';
import type {
  Alert,
  FrontierEvent,
  HippoMessage,
  JobFinish,
  JobStart,
  ManualRequest,
  ModelMessage,
} from '../../../src/messages/types.ts';

export type JobYaml = v.InferInput<typeof configSchema>['jobs'] extends infer Jobs | undefined
  ? NonNullable<Jobs> extends Record<string, infer Job>
    ? Job
    : never
  : never;

export interface Options {
  timezone?: string;
  dayStarts?: string;
  /** `<prefix>/<name>` */
  identity?: string;
  /** Milliseconds. */
  keep?: number;
  limits?: Partial<NeedLimits>;
  sources?: readonly SourceDefinition[];
  /** Left out: nothing is alerted. */
  alerts?: AlertsDefinition;
  /** As they stand in hippo.yaml. */
  services?: v.InferInput<typeof configSchema>['services'];
  models?: v.InferInput<typeof configSchema>['models'];
}

/** What compiling these jobs gives, problems included. */
export function compiled(
  jobs: Record<string, JobYaml>,
  options: Options = {},
): ReturnType<typeof compileJobs> {
  const config = parseConfig({
    jobs,
    ...(options.services === undefined ? {} : { services: options.services }),
    ...(options.models === undefined ? {} : { models: options.models }),
    calendar: { timezone: options.timezone ?? 'UTC', day_starts: options.dayStarts ?? '00:00' },
  });
  return compileJobs({
    hippo: 'etl',
    identity: options.identity ?? 'etl',
    jobs: config.jobs,
    calendar: config.calendar,
    compileCondition,
    services: config.services,
    models: config.models,
    alerts: options.alerts,
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.sources === undefined ? {} : { sources: options.sources }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
}

export function define(jobs: Record<string, JobYaml>, options: Options = {}): Definition {
  const result = compiled(jobs, options);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** When tests begin. */
export const NOON = Date.UTC(2017, 3, 28, 12);

export const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

/** A frontier event: `landing('btd.party', 'yyyymm=201704')`; without a partition, an unpartitioned table's. */
export function landing(table: string, partition = '', execDate = NOON / SECOND): FrontierEvent {
  const [db = '', name = ''] = table.split('.');
  const levels = partition === '' ? [] : partition.split('/').map((level) => level.split('='));
  return {
    kind: 'frontier',
    dialect: 'pairs',
    db,
    table: name,
    partitions: [levels.map(([level = '', value = '']) => ({ name: level, value }))],
    method: 'partition',
    execDate,
    extra: {},
  };
}

/** A finish of another hippo's job. */
export function finishOf(name: string, fields: Partial<JobFinish> = {}): JobFinish {
  const [hippoName = '', jobName = ''] = name.split('/');
  return {
    kind: 'finish',
    hippoName,
    jobName,
    jobId: `${jobName}_1`,
    isSuccess: true,
    finishTime: NOON / SECOND,
    durationTime: 50,
    extra: {},
    ...fields,
  };
}

/** One client after the other, on one state topic: the records are what is written, nothing else survives {@link restart}. */
export class Hippo {
  now = NOON;
  state: MachineState;
  readonly records = new Map<string, StateValue>();
  readonly starts: JobStart[] = [];
  readonly finishes: JobFinish[] = [];
  readonly announced: FrontierEvent[] = [];
  readonly alerts: Alert[] = [];
  readonly models: ModelMessage[] = [];
  readonly submissions: Submission[] = [];
  definition: Definition;
  #offset = 0;

  constructor(jobs: Record<string, JobYaml> | Definition, options: Options = {}) {
    this.definition =
      'hippo' in jobs && jobs.hippo === 'etl'
        ? (jobs as Definition)
        : define(jobs as Record<string, JobYaml>, options);
    this.state = emptyState();
    this.tell({ type: 'ownership-gained', at: this.now });
  }

  tell(event: MachineEvent): Effect[] {
    const { state, effects } = step(this.definition, this.state, event);
    this.state = state;
    for (const effect of effects) this.#note(effect);
    return effects;
  }

  /** Reads a message; each has an offset of its own. */
  read(message: HippoMessage, traceparent?: string): Effect[] {
    const from = {
      topic: message.kind,
      partition: 0,
      offset: String((this.#offset += 1)),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    return this.tell({ type: 'message', at: this.now, from, message });
  }

  /** Reads a message whose record has this timestamp. */
  readWritten(message: HippoMessage, at: number): Effect[] {
    const from = { topic: message.kind, partition: 0, offset: String((this.#offset += 1)) };
    const record = {
      ...{ topic: from.topic, partition: 0n, offset: BigInt(from.offset), key: null, headers: {} },
      timestamp: new Date(at),
      value: {},
    };
    return this.tell({ type: 'message', at: this.now, from, message, record });
  }

  land(...event: Parameters<typeof landing>): Effect[] {
    return this.read(landing(...event));
  }

  ask(action: ManualRequest['action'], job: string, fields: Partial<ManualRequest> = {}): Effect[] {
    return this.read({ kind: 'schedule', hippoName: 'etl', jobName: job, action, extra: {}, ...fields });
  }

  /** Time goes by, with a tick at the end. */
  wait(millis: number): Effect[] {
    this.now += millis;
    return this.tell({ type: 'tick', at: this.now });
  }

  /** The wall clock is set. */
  jump(by: number): Effect[] {
    this.now += by;
    return this.tell({ type: 'clock-jumped', at: this.now, by });
  }

  /** The run's present attempt ends. */
  exit(job: string, key: string, outcome: JobOutcome = { status: 'succeeded' }): Effect[] {
    const attemptId = this.run(job, key).attemptId ?? '';
    return this.tell({ type: 'job-exited', at: this.now, run: { job, key }, attemptId, outcome });
  }

  fail(job: string, key: string, error = './start-spark.sh ended with exit code 1'): Effect[] {
    return this.exit(job, key, { status: 'failed', exitCode: 1, error });
  }

  /** The client is gone; the next one takes over. */
  restart(alive: string[] = [], definition = this.definition): Effect[] {
    const runningFor = [...listRuns(this.state)].flatMap(({ attemptId, attemptAt }): [string, number][] =>
      attemptId !== null && alive.includes(attemptId) ? [[attemptId, this.now - (attemptAt ?? 0)]] : [],
    );
    return this.takeOver(new Map(runningFor), definition);
  }

  /** @param alive attempt id → for how long it has been running */
  takeOver(alive: ReadonlyMap<string, number>, definition = this.definition): Effect[] {
    this.definition = definition;
    this.state = restore(definition, this.records);
    return this.tell({ type: 'ownership-gained', at: this.now, alive });
  }

  run(job: string, key: string): RunState {
    const run = findRun(this.state, { job, key });
    if (run === undefined)
      throw new Error(`there is no run ${job} ${key}; there are ${JSON.stringify(this.statuses)}`);
    return { ...run, inputs: run.inputs.toObject(), relanded: run.relanded.toObject() };
  }

  /** `job key` → status, sorted. */
  get statuses(): Record<string, string> {
    const all = [...listRuns(this.state)].map((run) => [`${run.job} ${run.key}`, run.status] as const);
    return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The runs that were fired, in order: `job key`. */
  get fired(): string[] {
    return this.starts.map(({ jobName, runKey }) => `${jobName} ${runKey ?? ''}`);
  }

  #note(effect: Effect): void {
    if (effect.type === 'persist') {
      // Through JSON, as the topic has it.
      if (effect.value === null) this.records.delete(effect.key);
      else if (effect.value instanceof Uint8Array) this.records.set(effect.key, effect.value.slice());
      else this.records.set(effect.key, JSON.parse(JSON.stringify(effect.value)) as Json);
    } else if (effect.type === 'submit') this.submissions.push(effect.submission);
    else if (effect.type === 'publish') {
      if (effect.message.kind === 'start') this.starts.push(effect.message);
      else if (effect.message.kind === 'finish') this.finishes.push(effect.message);
      else if (effect.message.kind === 'model') this.models.push(effect.message);
      else if (effect.message.kind === 'alert') this.alerts.push(effect.message);
      else this.announced.push(effect.message);
    }
  }
}

export function notices(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'notice' ? [`${effect.level}: ${effect.text}`] : []));
}

/** A need of a table with one level named after the day, `dt=2017-04-28`. */
export const daily = (table: string): { table: string; partition: Record<string, string> } => ({
  table,
  partition: { dt: "{{ window | date: '%Y-%m-%d' }}" },
});
/** `yyyymm=201704` */
export const monthly = (table: string): { table: string; partition: Record<string, string> } => ({
  table,
  partition: { yyyymm: "{{ window | date: '%Y%m' }}" },
});

/** A source of tests. */
export const ORDERS: SourceDefinition = {
  name: 'orders',
  db: 'shop',
  table: 'orders',
  method: 'partition',
  dialect: 'pairs',
  startFrom: 'beginning',
  settle: 0,
};

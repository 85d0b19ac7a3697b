/** Feeds messages to the machine at their own times and acts as its host: jobs succeed, finish messages come back. Pure. */
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Millis } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import {
  type Definition,
  type Effect,
  type JobDefinition,
  type JobOutcome,
  type MachineEvent,
  type MachineState,
  type Run,
  type Missing,
  type Submission,
  type ToldEvent,
  awaitsInputs,
  emptyState,
  findRun,
  inOrder,
  listPauses,
  listRuns,
  missingNeeds,
  nextWake,
  step,
} from '../client/machine/index.ts';
import type { ConditionFields } from '../conditions/record.ts';
import {
  type Alert,
  type HippoMessage,
  type JobFinish,
  type MeasuredVersion,
  type MessageRef,
  type Metrics,
  type ModelMessage,
  isNewModel,
  isPromoteModel,
} from '../messages/index.ts';
import type { AlertCondition } from '../messages/types.ts';
import {
  type Announcements,
  type InputState,
  type LandingHash,
  NO_ANNOUNCEMENTS,
  type RunId,
  type RunStatus,
  eachAnnouncement,
  findAnnouncement,
  hashKey,
  landingHash,
} from '../state/index.ts';
import type { Listing, SkippedPath } from './listing.ts';
import type { ToldFile } from './told.ts';
import type { Timed } from './timeline.ts';

export interface SimulatedMessage {
  from: MessageRef;
  message: HippoMessage;
  /** What conditions see of its record; left out: nothing asks for it. */
  fields?: ConditionFields;
}

/** A record that a client would have rejected. */
export interface Letter {
  topic: string;
  /** One line. */
  reason: string;
}

/** The message that satisfied a need. */
export interface SimulatedInput {
  need: string;
  topic: string;
  /** null, like the offset, for a finish message of the simulation itself. */
  partition: number | null;
  offset: string | null;
  /** The values of the partition that landed. */
  values: Readonly<Record<string, string>>;
}

/** An attempt that would be started. */
export interface Firing {
  /** ISO 8601, like all times here. */
  at: string;
  job: string;
  run_key: string;
  job_id: string;
  attempt: number;
  window: { start: string; end: string } | null;
  argv: readonly string[];
  /** The operator who asked for it, and the reason; null if it fired by itself. */
  manual: { by?: string; reason?: string } | null;
  inputs: SimulatedInput[];
  outcome: JobOutcome['status'];
  ended_at: string;
}

/** A run that has not started, or has not ended, after the last message. */
export interface Waiting {
  job: string;
  run_key: string;
  status: RunStatus;
  since: string;
  has: SimulatedInput[];
  missing: Missing[];
  /** Its job is paused; it starts when the job is resumed. */
  paused: boolean;
  /** When it would start, if known. */
  not_before: string | null;
}

export interface Notice {
  at: string;
  level: 'info' | 'warning' | 'error';
  job: string | null;
  run_key: string | null;
  text: string;
}

/** An event that a source, or a service, would publish. */
export interface Announced {
  at: string;
  source: string;
  /** `db.table` */
  table: string;
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
  partition: string;
  /** Epoch seconds. */
  exec_date: number;
  /** The scan that first listed it as it is: it settled between that and `at`. */
  found_at: string;
  /** It was known, and has landed again. */
  relanded: boolean;
}

/** An event that a job would publish with its success. */
export interface Produced {
  at: string;
  job: string;
  run_key: string;
  job_id: string;
  /** `db.table` */
  table: string;
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table; null: the job's result tells, which no simulation has. */
  partition: string | null;
  /** Epoch seconds; null where the partition is. */
  exec_date: number | null;
}

/** What a listing, or the file of a service, would come to. */
export interface SimulatedScan {
  at: string;
  source: string;
  listed: number;
  skipped: readonly SkippedPath[];
  error: string | null;
}

/** A version that would be built, or would serve again. */
export interface SimulatedModel {
  at: string;
  model: string;
  version: string;
  promoted: boolean;
  /** Of the recorded build that stands for it; empty: none does. */
  metrics: Metrics;
  /** The version that serves after it. */
  serving: MeasuredVersion | null;
  /** Who asked for it to serve; null: it was built. */
  by: string | null;
}

export interface Simulation {
  /** In the order of time. */
  announced: Announced[];
  scans: SimulatedScan[];
  fired: Firing[];
  /** In the order of time. */
  produced: Produced[];
  waiting: Waiting[];
  notices: Notice[];
  /** The versions that would be built, or serve again, in the order of time. */
  models: SimulatedModel[];
  /** In the order of time. */
  alerts: SimulatedAlert[];
}

/** An alert that would be published. */
export interface SimulatedAlert {
  alert_id: string;
  condition: AlertCondition;
  /** The job, service, source or topic that it is about. */
  subject: string;
  run_key: string | null;
  raised_at: string;
  /** null: it is still open. */
  resolved_at: string | null;
  text: string;
  /** Why it is over; null: it is still open. */
  over: string | null;
}

export interface SimulateOptions {
  /** How long each job is assumed to run, milliseconds. */
  jobDuration: Millis;
  /** What sources have listed, in the order of time. Between two listings, and after the last one, a source lists the same again. */
  listings?: readonly Listing[];
  /** What services have announced. */
  told?: readonly ToldFile[];
  /** What is rejected, in the order of time. */
  letters?: readonly Timed<Letter>[];
  /** By model: the recorded versions of it, the oldest first. The n-th build of the simulation is as good as the n-th of them. */
  recorded?: ReadonlyMap<string, readonly MeasuredVersion[]>;
  /** How a source is watched. [default: all is listed, each second] */
  watching?: (source: string) => Watching | undefined;
}

export interface Watching {
  /** The pause between two scans, milliseconds. */
  every: Millis;
  /** As its scanner says it: of `news`, what is not listed may be there. */
  lists: 'all' | 'any number' | 'news';
}

/** The partition of the messages of the simulation. */
const SIMULATED = -1;
/** The same interval as the host's. */
const TICK = 1_000;

/**
 * What a client with an empty state would do with these messages and listings if all of its jobs succeeded.
 *
 * @param messages in the order of their times, without finish messages of this hippo: the simulation produces them
 */
export function simulate(
  definition: Definition,
  config: Pick<Config, 'topics'>,
  messages: readonly Timed<SimulatedMessage>[],
  options: SimulateOptions,
): Simulation {
  const inputs = [
    ...messages.map(({ at, item }) => ({ at, message: item })),
    ...(options.letters ?? []).map(({ at, item }) => ({ at, letter: item })),
    ...(options.listings ?? []).map((listing) => ({ at: listing.at, listing })),
    ...(options.told ?? []).flatMap(({ service, events }) => {
      const times = timesOfTold(events);
      return events.map((told, index) => ({ at: times[index] ?? 0, service, told }));
    }),
  ].sort((one, other) => one.at - other.at);
  const host = new SimulatedHost(definition, config, options, inputs[0]?.at ?? 0);
  for (const input of inputs) {
    host.passTime(input.at);
    if ('listing' in input) host.list(input.listing);
    else if ('letter' in input) {
      const { topic, reason } = input.letter;
      host.handle({ type: 'rejected', at: input.at, topic, reason });
    } else if ('told' in input) host.tell(input.service, input.told, input.at);
    else {
      const { from, message, fields } = input.message;
      const said = message.kind === 'model' ? host.withOwnVersions(message) : message;
      host.handle({ type: 'message', at: input.at, from, message: said, ...(fields && { record: fields }) });
    }
  }
  host.endWork();
  for (const file of options.told ?? []) host.report(file);
  return host.result();
}

/** When the lines of a file are told: a client takes them in their order, so time never goes back. */
function timesOfTold(events: readonly ToldEvent[]): Millis[] {
  let at = 0;
  return events.map(({ landedAt }) => (at = Math.max(at, landedAt)));
}

interface RunningJob {
  submission: Submission;
  firing: Firing;
  endsAt: Millis;
  outcome: JobOutcome;
}

/** A source, and what it lists at present. */
interface Watched {
  listing: Listing;
  /** When it has to be scanned again for what waits to settle. */
  nextAt: Millis;
  /** How many scans of this source there were. */
  number: number;
}

/** Executes the machine's effects as the host does, but without processes, clock and topics. */
class SimulatedHost {
  readonly #definition: Definition;
  readonly #config: Pick<Config, 'topics'>;
  readonly #options: SimulateOptions;
  #state: MachineState;
  #lastTick: Millis;
  /** The hippo's own messages that it has not read yet. */
  readonly #inbox: HippoMessage[] = [];
  #received = 0;
  readonly #running = new Map<string, RunningJob>();
  readonly #fired: Firing[] = [];
  readonly #announced: Announced[] = [];
  readonly #produced: Produced[] = [];
  /** By job: the tables of outputs that need a result, which no simulation has. */
  readonly #unknown: ReadonlyMap<string, readonly string[]>;
  readonly #scans: SimulatedScan[] = [];
  readonly #watched = new Map<string, Watched>();
  /** When what was found at a landing was found first. */
  readonly #foundAt = new Map<string, Millis>();
  /** The landing that is told at present. */
  #present = { foundAt: 0, relanded: false };
  readonly #notices: Notice[] = [];
  readonly #models: SimulatedModel[] = [];
  /** By model: the versions that were built, the oldest first. */
  readonly #built = new Map<string, string[]>();
  /** By id. */
  readonly #alerts = new Map<string, SimulatedAlert>();

  constructor(definition: Definition, config: Pick<Config, 'topics'>, options: SimulateOptions, at: Millis) {
    this.#definition = withoutResults(definition, options.recorded ?? new Map());
    this.#unknown = new Map([...definition.jobs.values()].map((job) => [job.name, tablesByResult(job)]));
    this.#config = config;
    this.#options = options;
    this.#state = emptyState();
    this.#lastTick = at;
    this.#step({ type: 'ownership-gained', at });
  }

  /** Everything that happens up to a time: jobs end, sources are scanned again, the clock ticks. */
  passTime(until: Millis): void {
    for (;;) {
      const job = this.#nextEnd();
      const scan = this.#nextScan();
      // As in the host, two ticks are at least this far apart.
      const tick = Math.max(nextWake(this.#state) ?? Infinity, this.#lastTick + TICK);
      const next = Math.min(tick, scan?.nextAt ?? Infinity);
      if (job !== undefined && job.endsAt <= Math.min(until, next)) this.#end(job);
      else if (scan !== undefined && scan.nextAt <= Math.min(until, tick)) this.#scan(scan, scan.nextAt);
      else if (tick <= until) {
        this.#lastTick = tick;
        this.handle({ type: 'tick', at: tick });
        // All that came before has been told.
        if (awaitsInputs(this.#definition, this.#state, tick))
          this.handle({ type: 'caught-up', at: tick, upTo: tick });
      } else return;
    }
  }

  /** Everything that happens until no job runs any more, and nothing has to settle. */
  endWork(): void {
    for (;;) {
      const next = Math.min(this.#nextEnd()?.endsAt ?? Infinity, this.#nextScan()?.nextAt ?? Infinity);
      if (next === Infinity) return;
      this.passTime(next);
    }
  }

  /** The simulation's versions have names of their own: each stands for the recorded one of the same number. */
  withOwnVersions(message: ModelMessage): ModelMessage {
    if (!isPromoteModel(message)) return message;
    const recorded = this.#options.recorded?.get(message.model) ?? [];
    const own = (version: string): string => {
      const index = recorded.findIndex((one) => one.version === version);
      return this.#built.get(message.model)?.[index] ?? version;
    };
    const { expect } = message;
    return {
      ...message,
      version: own(message.version),
      ...(typeof expect === 'string' ? { expect: own(expect) } : {}),
    };
  }

  /** A service announces this. */
  tell(service: string, told: ToldEvent, at: Millis): void {
    this.#present = { foundAt: at, relanded: false };
    this.handle({ type: 'events-told', at, service, events: [told] });
  }

  /** What a service has told in all. */
  report({ service, events, refused }: ToldFile): void {
    const at = iso(timesOfTold(events).at(-1) ?? this.#lastTick);
    this.#scans.push({ at, source: service, listed: events.length, skipped: refused, error: null });
  }

  /** A source lists this from now on. */
  list(listing: Listing): void {
    const { source, at, landings, skipped, error } = listing;
    this.#scans.push({ at: iso(at), source, listed: landings.length, skipped, error });
    const { number = 0 } = this.#watched.get(source) ?? {};
    const watched: Watched = { listing, nextAt: Infinity, number };
    this.#watched.set(source, watched);
    this.#scan(watched, at);
  }

  /** As the client's watcher scans: it tells the machine what differs, and what is not listed any more. */
  #scan(watched: Watched, at: Millis): void {
    const { source, landings, skipped, error } = watched.listing;
    const known = (): Announcements => this.#state.sources.get(source)?.announcements ?? NO_ANNOUNCEMENTS;
    const before = known();
    const [number, isComplete] = [(watched.number += 1), error === null];
    const { every, lists } = this.#options.watching?.(source) ?? { every: 0, lists: 'all' };
    const listed = landings.map((landing) => ({ landing, hash: landingHash(landing.id) }));
    const differing = listed.filter(({ landing, hash }) => {
      const announcement = findAnnouncement(before, hash);
      return announcement?.fingerprint !== landing.fingerprint || announcement.unlistedSince !== null;
    });
    for (const { landing, hash } of differing) {
      const id = `${source} ${hashKey(hash)}/${landing.fingerprint}`;
      if (!this.#foundAt.has(id)) this.#foundAt.set(id, at);
      this.#present = {
        foundAt: this.#foundAt.get(id) ?? at,
        relanded: findAnnouncement(known(), hash) !== undefined,
      };
      this.handle({ type: 'landings-found', at, source, scan: number, landings: [landing] });
    }
    const present = new Set(listed.map(({ hash }) => hashKey(hash)));
    const missed: LandingHash[] = [];
    if (isComplete && lists !== 'news')
      eachAnnouncement(before, (hash) => {
        if (!present.has(hashKey(hash))) missed.push(hash);
      });
    this.handle({ type: 'landings-missed', at, source, missed });
    const scan = {
      ...{ number, isComplete, hasListed: isComplete, took: 0, listed: listed.length },
      ...{ skipped: skipped.length, skips: [], ...(error === null ? {} : { error }) },
    };
    this.handle({ type: 'scan-ended', at, source, scan });
    // What only an earlier listing had does not settle, however often this one is scanned.
    const unsettled = this.#state.sources.get(source)?.unsettled;
    const waits = listed.some(
      ({ landing, hash }) => unsettled?.get(hashKey(hash))?.fingerprint === landing.fingerprint,
    );
    watched.nextAt = waits ? at + Math.max(TICK, every) : Infinity;
  }

  #nextScan(): Watched | undefined {
    let next: Watched | undefined;
    for (const watched of this.#watched.values())
      if (watched.nextAt < (next?.nextAt ?? Infinity)) next = watched;
    return next;
  }

  handle(event: MachineEvent): void {
    this.#step(event);
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      const offset = String((this.#received += 1));
      const from = { topic: topicName(this.#config, message.kind), partition: SIMULATED, offset };
      this.#step({ type: 'message', at: event.at, from, message });
    }
  }

  result(): Simulation {
    const paused = new Set([...listPauses(this.#state)].map(([job]) => job));
    const open = [...listRuns(this.#state)].filter(
      ({ status }) => status === 'waiting' || status === 'ready',
    );
    return {
      announced: this.#announced,
      scans: this.#scans,
      fired: this.#fired,
      produced: this.#produced,
      waiting: open
        .sort((a, b) => a.firstInputAt - b.firstInputAt || (a.key < b.key ? -1 : 1))
        .map((run) => this.#waiting(run, paused.has(run.job))),
      notices: this.#notices,
      models: this.#models,
      alerts: [...this.#alerts.values()],
    };
  }

  #step(event: MachineEvent): void {
    const { state, effects } = step(this.#definition, this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#applyEffect(effect, event.at);
  }

  #applyEffect(effect: Effect, at: Millis): void {
    switch (effect.type) {
      case 'submit':
        this.#submit(effect.submission, at);
        break;
      case 'cancel':
        this.#cancel(effect, at);
        break;
      case 'publish':
        if (effect.message.kind === 'finish') this.#finished(effect.message, at);
        else if (effect.message.kind === 'alert') this.#alerted(effect.message, at);
        else if (effect.message.kind === 'model') this.#noteModel(effect.message, at);
        else this.#inbox.push(effect.message);
        break;
      case 'announced':
        this.#noteAnnounced(effect, at);
        break;
      case 'notice':
        this.#notice(at, effect.level, effect.text, effect.run);
        break;
      case 'produced':
        this.#noteProduced(effect, at);
        break;
      case 'persist':
      case 'scan':
        break;
    }
  }

  #noteAnnounced({ source, table, landings }: Extract<Effect, { type: 'announced' }>, at: Millis): void {
    const { foundAt, relanded } = this.#present;
    for (const { partition, execDate } of landings)
      this.#announced.push({
        ...{ at: iso(at), source, table, partition, exec_date: execDate },
        ...{ found_at: iso(foundAt), relanded },
      });
  }

  #noteModel(message: ModelMessage, at: Millis): void {
    this.#inbox.push(message);
    if (!isNewModel(message)) return;
    const { model, version, promoted, metrics, serving, by = null } = message;
    this.#models.push({ at: iso(at), model, version, promoted, metrics, serving, by });
  }

  #noteProduced({ run, jobId, event }: Extract<Effect, { type: 'produced' }>, at: Millis): void {
    const { table, partition, execDate } = event;
    this.#produced.push({
      ...{ at: iso(at), job: run.job, run_key: run.key, job_id: jobId },
      ...{ table, partition, exec_date: execDate },
    });
  }

  #submit(submission: Submission, at: Millis): void {
    const { job, key, jobId, attempt, window, argv, inputs } = submission;
    const firing: Firing = {
      at: iso(at),
      job,
      run_key: key,
      job_id: jobId,
      attempt,
      window: window === null ? null : { start: iso(window.start), end: iso(window.end) },
      argv,
      manual: this.#manual(submission),
      inputs: inputs.map(simulatedInput),
      outcome: 'succeeded',
      ended_at: iso(at),
    };
    this.#fired.push(firing);
    const endsAt = at + this.#options.jobDuration;
    this.#running.set(submission.attemptId, { submission, firing, endsAt, outcome: { status: 'succeeded' } });
  }

  #manual(id: RunId): Firing['manual'] {
    const manual = findRun(this.#state, id)?.manual;
    if (manual === undefined) return null;
    const { by, reason } = manual;
    return { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
  }

  #cancel({ attemptId, reason }: Extract<Effect, { type: 'cancel' }>, at: Millis): void {
    const job = this.#running.get(attemptId);
    if (job !== undefined)
      this.#running.set(attemptId, { ...job, endsAt: at, outcome: { status: 'cancelled', reason } });
  }

  #nextEnd(): RunningJob | undefined {
    let next: RunningJob | undefined;
    for (const job of this.#running.values()) if (next === undefined || job.endsAt < next.endsAt) next = job;
    return next;
  }

  #end({ submission, firing, endsAt, outcome }: RunningJob): void {
    const { job, key, attemptId } = submission;
    this.#running.delete(attemptId);
    firing.outcome = outcome.status;
    firing.ended_at = iso(endsAt);
    const told = outcome.status === 'succeeded' ? this.#resultOf(submission) : undefined;
    const ended = told === undefined ? outcome : { ...outcome, result: told };
    this.handle({ type: 'job-exited', at: endsAt, run: { job, key }, attemptId, outcome: ended });
  }

  /** What a builder would tell: a version as good as the recorded one of the same number, or as the last one that was recorded. */
  #resultOf({ model }: Submission): JsonObject | undefined {
    const { model: name, version } = model ?? {};
    if (typeof name !== 'string' || typeof version !== 'string') return undefined;
    const built = this.#built.get(name) ?? [];
    const recorded = this.#options.recorded?.get(name) ?? [];
    const metrics = (recorded[built.length] ?? recorded.at(-1))?.metrics ?? {};
    this.#built.set(name, [...built, version]);
    return { model: { name, version, metrics: { ...metrics } } };
  }

  /** A finish message comes back to its hippo, which may need it. That of a run without a process is reported. */
  #finished(finish: JobFinish, at: Millis): void {
    this.#inbox.push(finish);
    const { jobName: job, jobId, runKey: key = '', isSuccess, errorMsg } = finish;
    // Of a run that is marked as done they are left out.
    if (isSuccess && !('marked_by' in finish.extra))
      for (const table of this.#unknown.get(job) ?? [])
        this.#produced.push({
          ...{ at: iso(at), job, run_key: key, job_id: jobId },
          ...{ table, partition: null, exec_date: null },
        });
    if (this.#fired.some((firing) => firing.job_id === jobId)) return;
    if (isSuccess) this.#notice(at, 'info', 'is marked as done', { job, key });
    else this.#notice(at, 'error', `fails before it starts: ${errorMsg ?? ''}`, { job, key });
  }

  #alerted({ alertId, state, condition, subject, runKey, text }: Alert, at: Millis): void {
    const known = this.#alerts.get(alertId);
    if (state === 'resolved' && known !== undefined)
      this.#alerts.set(alertId, { ...known, resolved_at: iso(at), over: text });
    if (state === 'resolved') return;
    this.#alerts.set(alertId, {
      ...{ alert_id: alertId, condition, subject, run_key: runKey ?? null },
      ...{ raised_at: iso(at), resolved_at: null, text, over: null },
    });
  }

  #notice(at: Millis, level: Notice['level'], text: string, run?: RunId): void {
    this.#notices.push({ at: iso(at), level, job: run?.job ?? null, run_key: run?.key ?? null, text });
  }

  #waiting(run: Run, paused: boolean): Waiting {
    const job = this.#definition.jobs.get(run.job);
    return {
      job: run.job,
      run_key: run.key,
      status: run.status,
      since: iso(run.firstInputAt),
      has: (job === undefined ? [...run.inputs.values()] : inOrder(job, run.inputs)).map(simulatedInput),
      missing: job === undefined || run.status === 'ready' ? [] : missingNeeds(this.#definition, job, run),
      paused,
      not_before: run.notBefore === null ? null : iso(run.notBefore),
    };
  }
}

/**
 * The same jobs without the outputs that need a result: without one the runs would fail. Of a model of which no version is
 * recorded each version is promoted: nothing is known of how good it would be.
 */
function withoutResults(
  definition: Definition,
  recorded: NonNullable<SimulateOptions['recorded']>,
): Definition {
  const jobs = [...definition.jobs].map(
    ([name, job]) =>
      [name, { ...job, outputs: job.outputs.filter(({ needsResult }) => !needsResult) }] as const,
  );
  const models = [...definition.models].map(
    ([name, model]) => [name, recorded.has(name) ? model : { ...model, promote: null }] as const,
  );
  return { ...definition, jobs: new Map(jobs), models: new Map(models) };
}

function tablesByResult({ outputs }: JobDefinition): string[] {
  return outputs.filter(({ needsResult }) => needsResult).map(({ db, table }) => `${db}.${table}`);
}

function simulatedInput({ need, topic, partition, offset, values }: InputState): SimulatedInput {
  const real = partition !== SIMULATED;
  return { need, topic, partition: real ? partition : null, offset: real ? offset : null, values };
}

function iso(at: Millis): string {
  return new Date(at).toISOString();
}

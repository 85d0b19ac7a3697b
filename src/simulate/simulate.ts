/** Feeds messages to the machine at their own times and acts as its host: jobs succeed, finish messages come back. Pure. */
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Millis } from '../core/clock.ts';
import {
  type Definition,
  type Effect,
  type JobOutcome,
  type MachineEvent,
  type MachineState,
  type Run,
  type Missing,
  type Submission,
  emptyState,
  findRun,
  inOrder,
  listPauses,
  listRuns,
  missingNeeds,
  nextWake,
  step,
} from '../client/machine/index.ts';
import type { FrontierEvent, JobFinish, ManualRequest, MessageRef } from '../messages/index.ts';
import type { InputState, RunId, RunStatus } from '../state/index.ts';
import type { Timed } from './timeline.ts';

export interface SimulatedMessage {
  from: MessageRef;
  message: FrontierEvent | JobFinish | ManualRequest;
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

export interface Simulation {
  fired: Firing[];
  waiting: Waiting[];
  notices: Notice[];
}

export interface SimulateOptions {
  /** How long each job is assumed to run, milliseconds. */
  jobDuration: Millis;
}

/** The partition of the finish messages of the simulation. */
const SIMULATED = -1;
/** The same interval as the host's. */
const TICK = 1_000;

/**
 * What a client with an empty state would do with these messages if all of its jobs succeeded.
 *
 * @param messages in the order of their times, without finish messages of this hippo: the simulation produces them
 */
export function simulate(
  definition: Definition,
  config: Pick<Config, 'topics'>,
  messages: readonly Timed<SimulatedMessage>[],
  options: SimulateOptions,
): Simulation {
  const host = new SimulatedHost(definition, topicName(config, 'finish'), options, messages[0]?.at ?? 0);
  for (const { at, item } of messages) {
    host.passTime(at);
    host.handle({ type: 'message', at, ...item });
  }
  host.endJobs();
  return host.result();
}

interface RunningJob {
  submission: Submission;
  firing: Firing;
  endsAt: Millis;
  outcome: JobOutcome;
}

/** Executes the machine's effects as the host does, but without processes, clock and topics. */
class SimulatedHost {
  readonly #definition: Definition;
  readonly #finishTopic: string;
  readonly #duration: Millis;
  #state: MachineState;
  #lastTick: Millis;
  /** The hippo's own finish messages that it has not read yet. */
  readonly #inbox: JobFinish[] = [];
  #received = 0;
  readonly #running = new Map<string, RunningJob>();
  readonly #fired: Firing[] = [];
  readonly #notices: Notice[] = [];

  constructor(definition: Definition, finishTopic: string, { jobDuration }: SimulateOptions, at: Millis) {
    this.#definition = definition;
    this.#finishTopic = finishTopic;
    this.#duration = jobDuration;
    this.#state = emptyState();
    this.#lastTick = at;
    this.#step({ type: 'ownership-gained', at });
  }

  /** Everything that happens up to a time: jobs end, the clock ticks. */
  passTime(until: Millis): void {
    for (;;) {
      const job = this.#nextEnd();
      // As in the host, two ticks are at least this far apart.
      const tick = Math.max(nextWake(this.#state) ?? Infinity, this.#lastTick + TICK);
      if (job !== undefined && job.endsAt <= Math.min(until, tick)) this.#end(job);
      else if (tick <= until) {
        this.#lastTick = tick;
        this.handle({ type: 'tick', at: tick });
      } else return;
    }
  }

  /** Everything that happens until no job runs any more. */
  endJobs(): void {
    for (let job = this.#nextEnd(); job !== undefined; job = this.#nextEnd()) this.passTime(job.endsAt);
  }

  handle(event: MachineEvent): void {
    this.#step(event);
    for (let finish = this.#inbox.shift(); finish !== undefined; finish = this.#inbox.shift()) {
      const offset = String((this.#received += 1));
      const from = { topic: this.#finishTopic, partition: SIMULATED, offset };
      this.#step({ type: 'message', at: event.at, from, message: finish });
    }
  }

  result(): Simulation {
    const paused = new Set([...listPauses(this.#state)].map(([job]) => job));
    const open = [...listRuns(this.#state)].filter(
      ({ status }) => status === 'waiting' || status === 'ready',
    );
    return {
      fired: this.#fired,
      waiting: open
        .sort((a, b) => a.firstInputAt - b.firstInputAt || (a.key < b.key ? -1 : 1))
        .map((run) => this.#waiting(run, paused.has(run.job))),
      notices: this.#notices,
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
        break;
      case 'notice':
        this.#notice(at, effect.level, effect.text, effect.run);
        break;
      case 'persist':
      case 'scan':
      case 'announced':
        break;
    }
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
    const endsAt = at + this.#duration;
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
    this.handle({ type: 'job-exited', at: endsAt, run: { job, key }, attemptId, outcome });
  }

  /** A finish message comes back to its hippo, which may need it. That of a run without a process is reported. */
  #finished(finish: JobFinish, at: Millis): void {
    this.#inbox.push(finish);
    const { jobName: job, jobId, runKey: key = '', isSuccess, errorMsg } = finish;
    if (this.#fired.some((firing) => firing.job_id === jobId)) return;
    if (isSuccess) this.#notice(at, 'info', 'is marked as done', { job, key });
    else this.#notice(at, 'error', `fails before it starts: ${errorMsg ?? ''}`, { job, key });
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

function simulatedInput({ need, topic, partition, offset, values }: InputState): SimulatedInput {
  const real = partition !== SIMULATED;
  return { need, topic, partition: real ? partition : null, offset: real ? offset : null, values };
}

function iso(at: Millis): string {
  return new Date(at).toISOString();
}

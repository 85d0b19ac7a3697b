import type { Millis } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import type { JobFinish, JobStart } from '../../messages/types.ts';
import {
  type InputState,
  type Pause,
  type RunId,
  type RunState,
  formatStateKey,
  inputRecordKey,
} from '../../state/index.ts';
import type { Definition, JobDefinition, Slot } from './definition.ts';
import { findRun, type JobRuns, type MachineState, runsOf, withoutRun, withRun } from './state.ts';
import { dueAt } from './timing.ts';
import type { Effect, Submission } from './types.ts';

/**
 * Collects the changes and effects of one step. The state that it began with is not changed. A record that changes
 * several times in a step is written once.
 */
export class Draft {
  readonly definition: Definition;
  readonly at: Millis;
  #state: MachineState;
  readonly #records = new Map<string, Json | null>();
  readonly #messages: Effect[] = [];
  readonly #processes: Effect[] = [];
  readonly #notices: Effect[] = [];

  constructor(definition: Definition, state: MachineState, at: Millis) {
    this.definition = definition;
    this.#state = state;
    this.at = at;
  }

  get state(): MachineState {
    return this.#state;
  }

  effects(): Effect[] {
    const records = [...this.#records].map(([key, value]): Effect => ({ type: 'persist', key, value }));
    return [...records, ...this.#messages, ...this.#processes, ...this.#notices];
  }

  runs(job: JobDefinition): JobRuns {
    return runsOf(this.#state, job.name);
  }

  run(id: RunId): RunState | undefined {
    return findRun(this.#state, id);
  }

  /** The runs of a job that have not ended. */
  openRuns(job: JobDefinition): RunState[] {
    const { byKey, open } = this.runs(job);
    return [...open].map((key) => byKey.get(key)).filter((run) => run !== undefined);
  }

  putRun(job: JobDefinition, run: RunState): void {
    if (this.run(run) === run) return;
    this.#change({
      runs: this.#state.runs.set(job.name, withRun(this.runs(job), run)),
      wakeAt: Math.min(this.#state.wakeAt, dueAt(this.definition, job, run)),
    });
    this.#records.set(this.#runKey(run), asJson(run));
  }

  dropRun(job: JobDefinition, key: string): void {
    this.#change({ runs: this.#state.runs.set(job.name, withoutRun(this.runs(job), key)) });
    this.#records.set(this.#runKey({ job: job.name, key }), null);
  }

  landing(job: JobDefinition, need: string, value: string): InputState | undefined {
    return this.#state.landings.get(this.#inputKey(job, need, value));
  }

  /** What has landed for each need of a run. */
  inputsFor(job: JobDefinition, slot: Slot): Record<string, InputState> {
    const landed = job.needs.map(
      (need) => [need.id, this.landing(job, need.id, need.expects(slot))] as const,
    );
    return Object.fromEntries(
      landed.filter((entry): entry is [string, InputState] => entry[1] !== undefined),
    );
  }

  putLanding(job: JobDefinition, value: string, input: InputState): void {
    const key = this.#inputKey(job, input.need, value);
    this.#change({ landings: this.#state.landings.set(key, input) });
    this.#records.set(key, asJson(input));
  }

  /** @param key as in {@link MachineState.landings} */
  dropLanding(key: string): void {
    this.#change({ landings: this.#state.landings.remove(key) });
    this.#records.set(key, null);
  }

  pauseOf(job: JobDefinition): Pause | undefined {
    return this.#state.pauses.get(job.name);
  }

  setPause(job: JobDefinition, pause: Pause | null): void {
    const { pauses } = this.#state;
    this.#change({ pauses: pause === null ? pauses.remove(job.name) : pauses.set(job.name, pause) });
    const key = formatStateKey({ kind: 'paused', hippo: this.definition.hippo, job: job.name });
    this.#records.set(key, pause === null ? null : asJson(pause));
  }

  own(owned: boolean): void {
    this.#change({ owned });
  }

  /** The wall clock has jumped: see {@link MachineState.jumped}. */
  jump(by: Millis): void {
    this.#change({ jumped: this.#state.jumped + by });
  }

  wake(times: { wakeAt: Millis; expireAt: Millis }): void {
    this.#change(times);
  }

  publish(role: 'start' | 'finish', message: JobStart | JobFinish, traceparent: string | null): void {
    this.#messages.push({ type: 'publish', role, message, traceparent });
  }

  submit(submission: Submission): void {
    this.#processes.push({ type: 'submit', submission });
  }

  cancel({ job, key }: RunId, attemptId: string, reason: string): void {
    this.#processes.push({ type: 'cancel', run: { job, key }, attemptId, reason });
  }

  notice(level: 'info' | 'warning' | 'error', text: string, run?: RunId): void {
    const about = run === undefined ? {} : { run: { job: run.job, key: run.key } };
    this.#notices.push({ type: 'notice', level, ...about, text });
  }

  #runKey({ job, key }: RunId): string {
    return formatStateKey({ kind: 'run', hippo: this.definition.hippo, job, key });
  }

  #inputKey(job: JobDefinition, need: string, value: string): string {
    return inputRecordKey(this.definition.hippo, job.name, need, value);
  }

  #change(changes: Partial<MachineState>): void {
    this.#state = { ...this.#state, ...changes };
  }
}

/** States are plain data: what goes into a record is what the state holds. */
function asJson(value: RunState | InputState | Pause): Json {
  return value as unknown as Json;
}

import type { Millis } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import type { RecordRef } from '../../core/record-ref.ts';
import type { ProducedEvent } from '../../messages/index.ts';
import type { Alert, FrontierEvent, JobFinish, JobStart, ModelMessage } from '../../messages/types.ts';
import {
  type AlertState,
  type AnnouncementChange,
  type ExpectedState,
  NO_ANNOUNCEMENTS,
  type InputState,
  type LastResult,
  type ModelState,
  type Pause,
  type RunId,
  type ServiceState,
  type SourceState,
  type StateValue,
  type TimedState,
  formatStateKey,
  inputRecordKey,
  updateAnnouncements,
} from '../../state/index.ts';
import type { Definition, JobDefinition, ModelDefinition, Slot, SourceDefinition } from './definition.ts';
import { type Added, type RecordChange, runRecords } from './run-records.ts';
import {
  findRun,
  type Inputs,
  type JobRuns,
  type MachineState,
  NEW_SOURCE,
  NO_INPUTS,
  omit,
  type Run,
  runsOf,
  type Source,
  withoutRun,
  withRun,
} from './state.ts';
import { dueAt } from './timing.ts';
import type { AnnouncedLanding, Effect, Submission } from './types.ts';

/** Before its first version. */
const NEW_MODEL_STATE: ModelState = {
  serving: null,
  previous: null,
  since: null,
  by: null,
  reason: null,
  versions: [],
  retired: [],
};

/** A source, or a service. */
type Announcer = Pick<SourceDefinition, 'name'>;

/**
 * Collects the changes and effects of one step. The state that it began with is not changed. A record that changes
 * several times in a step is written once.
 */
export class Draft {
  readonly definition: Definition;
  readonly at: Millis;
  readonly #begun: MachineState;
  #state: MachineState;
  readonly #records = new Map<string, StateValue | null>();
  /** By the key of their records, which stand in {@link #records} too. */
  readonly #changedRuns = new Map<string, RunId>();
  /** Runs that have come to their end in this step; some of them have begun anew since. */
  readonly #settledRuns = new Map<string, Run>();
  readonly #added = new Map<Inputs, Added>();
  readonly #messages: Effect[] = [];
  readonly #processes: Effect[] = [];
  readonly #notices: Effect[] = [];

  constructor(definition: Definition, state: MachineState, at: Millis) {
    this.definition = definition;
    this.#begun = this.#state = state;
    this.at = at;
  }

  get state(): MachineState {
    return this.#state;
  }

  effects(): Effect[] {
    const records = [...this.#records].flatMap(
      ([key, value]): (RecordChange | { key: string; value: StateValue | null })[] => {
        const id = this.#changedRuns.get(key);
        return id === undefined ? [{ key, value }] : this.#runRecords(id);
      },
    );
    return [
      ...records.map((record): Effect => ({ type: 'persist', ...record })),
      ...this.#messages,
      ...this.#processes,
      ...this.#notices,
    ];
  }

  /** The runs that have changed, as they were, and are now; and as they ended well, where they did in between. */
  changedRuns(): { id: RunId; before: Run | undefined; after: Run | undefined; settled: Run | undefined }[] {
    return [...this.#changedRuns].map(([key, id]) => ({
      id,
      before: findRun(this.#begun, id),
      after: this.run(id),
      settled: this.#settledRuns.get(key),
    }));
  }

  runs(job: JobDefinition): JobRuns {
    return runsOf(this.#state, job.name);
  }

  run(id: RunId): Run | undefined {
    return findRun(this.#state, id);
  }

  /** The runs of a job that have not ended. */
  openRuns(job: JobDefinition): Run[] {
    const { byKey, open } = this.runs(job);
    return [...open].map((key) => byKey.get(key)).filter((run) => run !== undefined);
  }

  putRun(job: JobDefinition, run: Run): void {
    if (this.run(run) === run) return;
    this.#change({
      runs: this.#state.runs.set(job.name, withRun(this.runs(job), placed(job, run))),
      wakeAt: Math.min(this.#state.wakeAt, dueAt(this.definition, job, run)),
    });
    this.#noteRun(run);
    if (run.status === 'succeeded' || run.status === 'cancelled')
      this.#settledRuns.set(this.#runKey(run), run);
  }

  /** A run that the state has and the definition does not. */
  goneRun({ job, key }: RunId): Run | undefined {
    return this.#state.gone.get(this.#runKey({ job, key }));
  }

  /** Takes such a run up again, to end it. */
  adopt(job: JobDefinition, run: Run): void {
    this.#change({ gone: this.#state.gone.remove(this.#runKey(run)) });
    this.putRun(job, run);
  }

  dropRun(job: JobDefinition, key: string): void {
    this.#change({ runs: this.#state.runs.set(job.name, withoutRun(this.runs(job), key)) });
    this.#noteRun({ job: job.name, key });
  }

  /** The inputs with one more, or a newer one. */
  withInput(inputs: Inputs, input: InputState): Inputs {
    const more = inputs.set(input.need, input);
    if (more !== inputs) this.#added.set(more, { to: inputs, need: input.need });
    return more;
  }

  landing(job: JobDefinition, need: string, value: string): InputState | undefined {
    return this.#state.landings.get(this.#inputKey(job, need, value));
  }

  /** What has landed for each need of a run. */
  inputsFor(job: JobDefinition, slot: Slot): Inputs {
    return NO_INPUTS.withMutations((inputs) => {
      for (const need of job.needs) {
        const input = this.landing(job, need.id, need.expects(slot));
        if (input !== undefined) inputs.set(need.id, input);
      }
    });
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

  source({ name }: Announcer): Source {
    return this.#state.sources.get(name) ?? NEW_SOURCE;
  }

  /** Changes what no record has. */
  putSource({ name }: Announcer, source: Source): void {
    this.#change({ sources: this.#state.sources.set(name, source) });
  }

  putSourceState(source: SourceDefinition, state: SourceState): void {
    this.putSource(source, { ...this.source(source), ...state });
    const { hippo } = this.definition;
    this.#records.set(
      formatStateKey({ kind: 'source', hippo, source: source.name }),
      state as unknown as Json,
    );
  }

  changeAnnouncements(source: Announcer, changes: readonly AnnouncementChange[]): void {
    if (changes.length === 0) return;
    const known = this.source(source);
    const { announcements, written } = updateAnnouncements(known.announcements, changes);
    this.putSource(source, { ...known, announcements });
    const { hippo } = this.definition;
    for (const [bucket, bytes] of written)
      this.#records.set(formatStateKey({ kind: 'announced', hippo, source: source.name, bucket }), bytes);
  }

  /** @param job its name: it may be gone from hippo.yaml */
  changeOutputs(job: string, changes: readonly AnnouncementChange[]): void {
    if (changes.length === 0) return;
    const known = this.#state.outputs.get(job) ?? NO_ANNOUNCEMENTS;
    const { announcements, written } = updateAnnouncements(known, changes);
    this.#change({ outputs: this.#state.outputs.set(job, announcements) });
    const { hippo } = this.definition;
    for (const [bucket, bytes] of written)
      this.#records.set(formatStateKey({ kind: 'produced', hippo, job, bucket }), bytes);
  }

  /** Removes all records of what a job has produced. */
  forgetOutputs(job: string): void {
    const { hippo } = this.definition;
    for (const bucket of this.#state.outputs.get(job)?.keys() ?? [])
      this.#records.set(formatStateKey({ kind: 'produced', hippo, job, bucket }), null);
    this.#change({ outputs: this.#state.outputs.delete(job) });
  }

  service({ name }: Announcer): ServiceState {
    return this.#state.services.get(name) ?? {};
  }

  putService({ name }: Announcer, state: ServiceState): void {
    this.#change({ services: this.#state.services.set(name, state) });
    const { hippo } = this.definition;
    this.#records.set(formatStateKey({ kind: 'service', hippo, service: name }), asJson(state));
  }

  model({ name }: Pick<ModelDefinition, 'name'>): ModelState {
    return this.#state.models.get(name) ?? NEW_MODEL_STATE;
  }

  putModel({ name }: Pick<ModelDefinition, 'name'>, state: ModelState): void {
    this.#change({ models: this.#state.models.set(name, state) });
    const { hippo } = this.definition;
    this.#records.set(formatStateKey({ kind: 'model', hippo, model: name }), asJson(state));
  }

  /** @param alert null: it is forgotten */
  putAlert(id: string, alert: AlertState | null): void {
    const { alerts } = this.#state;
    this.#change({ alerts: alert === null ? alerts.remove(id) : alerts.set(id, alert) });
    const key = formatStateKey({ kind: 'alert', hippo: this.definition.hippo, alert: id });
    this.#records.set(key, alert === null ? null : asJson(alert));
  }

  /** @param expected null: the job does not expect its windows any more */
  putExpected(job: string, expected: ExpectedState | null): void {
    const known = this.#state.expected;
    this.#change({ expected: expected === null ? known.remove(job) : known.set(job, expected) });
    const key = formatStateKey({ kind: 'expected', hippo: this.definition.hippo, job });
    this.#records.set(key, expected === null ? null : asJson(expected));
  }

  /** @param cause see {@link MachineState.lastAlerts} */
  noteLastAlert(cause: string, id: string): void {
    this.#change({ lastAlerts: this.#state.lastAlerts.set(cause, id) });
  }

  /** Forgets which alert was the last of its cause, where that one is gone, and old enough. */
  forgetCauses(isOld: (id: string) => boolean): void {
    const { alerts, lastAlerts } = this.#state;
    if (lastAlerts.isEmpty()) return;
    this.#change({ lastAlerts: lastAlerts.filter((id) => alerts.has(id) || !isOld(id)) });
  }

  timed({ name }: JobDefinition): TimedState | undefined {
    return this.#state.timed.get(name);
  }

  putTimed({ name }: Pick<JobDefinition, 'name'>, timed: TimedState | null): void {
    const known = this.#state.timed;
    this.#change({ timed: timed === null ? known.remove(name) : known.set(name, timed) });
    const key = formatStateKey({ kind: 'timed', hippo: this.definition.hippo, job: name });
    this.#records.set(key, timed === null ? null : { through: timed.through });
  }

  putLastResult({ name }: JobDefinition, last: LastResult): void {
    this.#change({ lastResults: this.#state.lastResults.set(name, last) });
    const key = formatStateKey({ kind: 'last-result', hippo: this.definition.hippo, job: name });
    this.#records.set(key, asJson(last));
  }

  pauseOf(job: Pick<JobDefinition, 'name'>): Pause | undefined {
    return this.#state.pauses.get(job.name);
  }

  setPause(job: Pick<JobDefinition, 'name'>, pause: Pause | null): void {
    const { pauses } = this.#state;
    this.#change({ pauses: pause === null ? pauses.remove(job.name) : pauses.set(job.name, pause) });
    const key = formatStateKey({ kind: 'paused', hippo: this.definition.hippo, job: job.name });
    this.#records.set(key, pause === null ? null : asJson(pause));
  }

  /** @param withheld see {@link MachineState.withheld} */
  own(withheld: ReadonlySet<string>, alertsWithheld: boolean): void {
    this.#change({ owned: true, withheld, alertsWithheld });
  }

  /** The wall clock has jumped: see {@link MachineState.jumped}. */
  jump(by: Millis): void {
    this.#change({ jumped: this.#state.jumped + by });
  }

  /** A tick is due at this time, too. */
  wakeBy(at: Millis): void {
    if (at < this.#state.wakeAt) this.#change({ wakeAt: at });
  }

  wake(times: { wakeAt: Millis; expireAt: Millis }): void {
    this.#change(times);
  }

  publish(role: 'start' | 'finish', message: JobStart | JobFinish, traceparent: string | null): void {
    this.#messages.push({ type: 'publish', role, message, traceparent });
  }

  publishModel(message: ModelMessage, traceparent: string): void {
    this.#messages.push({ type: 'publish', role: 'model', message, traceparent });
  }

  publishAlert(message: Alert, traceparent: string): void {
    this.#messages.push({ type: 'publish', role: 'alert', message, traceparent });
  }

  announce(message: FrontierEvent, traceparent: string): void {
    this.#messages.push({ type: 'publish', role: 'frontier', message, traceparent });
  }

  /**
   * @param by the source or service
   * @param table `db.table`
   * @param landings those of the events that {@link announce} was called with
   */
  announced(by: string, table: string, landings: readonly AnnouncedLanding[]): void {
    if (landings.length === 0) return;
    this.#notices.push({ type: 'announced', source: by, table, landings });
  }

  /** @param event of an output, which {@link announce} was called with */
  produced({ job, key }: RunId, jobId: string, event: ProducedEvent): void {
    this.#notices.push({ type: 'produced', run: { job, key }, jobId, event });
  }

  scan({ name }: SourceDefinition, request: RecordRef | null): void {
    this.#processes.push({ type: 'scan', source: name, request });
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

  /** Says that nothing happens. Of many such notices most are not logged, and their sentences not made. */
  remark(text: () => string): void {
    this.#notices.push({
      type: 'notice',
      level: 'info',
      get text() {
        return text();
      },
    });
  }

  #noteRun({ job, key }: RunId): void {
    const record = this.#runKey({ job, key });
    this.#records.set(record, null);
    this.#changedRuns.set(record, { job, key });
  }

  #runRecords(id: RunId): RecordChange[] {
    const { hippo } = this.definition;
    const [before, after] = [findRun(this.#begun, id), this.run(id)];
    return runRecords(hippo, { id, before, after, added: this.#added });
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

/** The run as it will be written. */
function placed({ isLarge }: JobDefinition, run: Run): Run {
  if (isLarge) return run.apart === true ? run : { ...run, apart: true };
  if (run.apart === undefined) return run;
  return omit(run, 'apart');
}

/** States are plain data: what goes into a record is what the state holds. */
function asJson(
  value: AlertState | ExpectedState | InputState | LastResult | ModelState | Pause | ServiceState,
): Json {
  return value as unknown as Json;
}

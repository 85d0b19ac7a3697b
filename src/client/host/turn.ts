/**
 * One turn of the client's loop: what has come in, stepped through the machine, as one list of records to be written in
 * one transaction and a list of things to do after it. Pure but for the clock that is passed in.
 */
import type { Millis } from '../../core/clock.ts';
import { formatOffset, isSameTopic } from '../../core/record-ref.ts';
import type { Config } from '../../config/schema.ts';
import type { KafkaRecord, OutgoingRecord, TopicPartitionOffset } from '../../kafka/port.ts';
import { type InputRole, dlqName, topicName } from '../../config/topics.ts';
import {
  type FrontierEvent,
  type Partition,
  type JobStart,
  type MessageRef,
  type Rejection,
  serialiseMessage,
} from '../../messages/index.ts';
import {
  type Positions,
  type RunId,
  type RunStatus,
  parseStateKey,
  parseStateRecord,
  withPosition,
} from '../../state/index.ts';
import {
  type Definition,
  type Effect,
  type JobOutcome,
  type MachineEvent,
  type MachineState,
  type Step,
  buildProblem,
  findRun,
  step,
} from '../machine/index.ts';
import { type ClientEvent, type LoggedRun, gapEvent } from './client-event.ts';
import { smallerAndSmaller, withoutList } from './fitting.ts';
import { deadLetter, describeInput, readInput, rejectionText } from './inputs.ts';
import { type Excess, type Limits, describeExcess } from './limits.ts';
import { type Arrival, type ToldFinding, announcerOf } from './mailbox.ts';
import type { StateTopic } from './state-topic.ts';
import type { AttemptExit } from './supervisor.ts';
import type { Unwritable, UnwritablePlace } from './unwritable.ts';

/** A transaction's records go to a partition in one batch, which brokers limit to 1 MB. */
const MAX_TURN_BYTES = 256 * 1024;
const MAX_TURN_ARRIVALS = 2_000;

export interface TurnContext {
  definition: Definition;
  config: Config;
  hippo: string;
  stateTopic: StateTopic;
  kinds: ReadonlyMap<string, InputRole>;
  limits: Pick<Limits, 'of' | 'excess'>;
  unwritable: Pick<Unwritable, 'placeOf'>;
}

/** Of so many ignored landings a turn says each: a backfill that is published again may be of a million. */
const MOST_MERE = 50;

/** A notice that says that nothing happens. */
function isMere(effect: Effect): boolean {
  return effect.type === 'notice' && effect.level === 'info';
}

/** A finding without those of its landings that are not taken. */
function withOnly(
  finding: Exclude<
    ToldFinding['finding'],
    { type: 'scan-ended' | 'landings-missed' | 'alerts-delivered' | 'service-told' }
  >,
  isTaken: (landing: { partition: Partition }) => boolean,
  at: Millis,
): MachineEvent {
  switch (finding.type) {
    case 'events-told':
      return { ...finding, events: finding.events.filter(isTaken), at };
    case 'landings-reported':
      return { ...finding, landings: finding.landings.filter(isTaken), at };
    case 'landings-found':
      return { ...finding, landings: finding.landings.filter(isTaken), at };
  }
}

type Publish = Extract<Effect, { type: 'publish' }>;
type Published = Pick<Publish, 'role' | 'message' | 'traceparent'>;

/** The run that a record is of: its own, or that of one of its inputs. */
function runOf({ key: text, value }: Extract<Effect, { type: 'persist' }>): RunId | undefined {
  const key = parseStateKey(text);
  if (key?.kind === 'run') return { job: key.job, key: key.key };
  if (key?.kind !== 'run-input') return undefined;
  const record = parseStateRecord(key, value);
  return record?.kind === 'run-input' ? { job: key.job, key: record.part.key } : undefined;
}

function nameOf({ job, key }: RunId): string {
  return `${job} ${key}`;
}

/** The key of a job's start and finish messages: they go to one partition of their topic. */
export function messageKey({ hippoName, jobName }: Pick<JobStart, 'hippoName' | 'jobName'>): string {
  return `${hippoName}/${jobName}`;
}

/** An alert's two messages go to one partition, too. */
function keyOf(message: Publish['message']): string {
  if (message.kind === 'frontier') return eventKey(message);
  if (message.kind === 'model') return message.model ?? '';
  return message.kind === 'alert' ? message.alertId : messageKey(message);
}

function subjectOf(message: Publish['message']): { job: string | undefined; run_key: string } {
  if (message.kind === 'frontier' || message.kind === 'model')
    return { job: undefined, run_key: describeInput(message) };
  if (message.kind === 'alert') return { job: undefined, run_key: message.alertId };
  return { job: message.jobName, run_key: message.runKey ?? '' };
}

/** The key of a table's events: they go to one partition of their topic. */
export function eventKey({ db, table }: Pick<FrontierEvent, 'db' | 'table'>): string {
  return `${db}.${table}`;
}

/** What the supervisor has to do. */
export type ProcessEffect = Extract<Effect, { type: 'submit' | 'cancel' | 'scan' }>;

export class Turn {
  state: MachineState;
  #positions: Positions;
  /** The newest position: of a batch each record has one, and only the last one need become part of {@link positions}. */
  #newest: TopicPartitionOffset | null = null;
  /** What people should know, once the turn is written. */
  readonly events: ClientEvent[] = [];
  /** What to start and stop, once the turn is written. */
  processEffects: ProcessEffect[] = [];
  readonly exits: AttemptExit[] = [];
  /** Why landings are not announced, a sentence each. */
  readonly unannounced: string[] = [];
  readonly #context: TurnContext;
  readonly #state = new Map<string, OutgoingRecord>();
  readonly #messages: OutgoingRecord[] = [];
  #bytes = 0;
  /** How many landings were ignored. */
  #mere = 0;
  #arrivals = 0;
  /** What is looked at before it is taken is encoded once. */
  readonly #encoded = new WeakMap<Effect, OutgoingRecord>();

  constructor(context: TurnContext, state: MachineState, positions: Positions) {
    this.#context = context;
    this.state = state;
    this.#positions = positions;
  }

  /** How many landings were ignored, besides those that {@link events} has. */
  get unsaid(): number {
    return Math.max(0, this.#mere - MOST_MERE);
  }

  get isFull(): boolean {
    return this.#bytes >= MAX_TURN_BYTES || this.#arrivals >= MAX_TURN_ARRIVALS;
  }

  /** Whether something has been decided that must be written before anything else happens. */
  get hasEffects(): boolean {
    return this.#state.size + this.#messages.length + this.processEffects.length > 0;
  }

  /** Where the inputs are to be read on. */
  get positions(): Positions {
    this.#takeNewest();
    return this.#positions;
  }

  set positions(positions: Positions) {
    this.#newest = null;
    this.#positions = positions;
  }

  #readTo(position: TopicPartitionOffset): void {
    const isFurther = this.#newest?.topic === position.topic && this.#newest.partition === position.partition;
    if (!isFurther) this.#takeNewest();
    this.#newest = position;
  }

  #takeNewest(): void {
    if (this.#newest !== null) this.#positions = withPosition(this.#positions, this.#newest);
    this.#newest = null;
  }

  #topicIdOf(topic: string): string | undefined {
    const newest = this.#newest?.topic === topic ? this.#newest.topicId : undefined;
    return newest ?? this.#positions.get(topic)?.topicId;
  }

  /** The transaction, the input positions included. */
  get records(): OutgoingRecord[] {
    return [...this.#state.values(), ...this.#messages, this.#context.stateTopic.offsets(this.positions)];
  }

  /** The runs that are forgotten: their records are removed. */
  get forgotten(): RunId[] {
    return [...this.#state.values()].flatMap(({ key, value }) => {
      const parsed = value === null && typeof key === 'string' ? parseStateKey(key) : undefined;
      return parsed?.kind === 'run' ? [{ job: parsed.job, key: parsed.key }] : [];
    });
  }

  step(event: MachineEvent): readonly Effect[] {
    return this.#take(step(this.#context.definition, this.state, event), event.at);
  }

  /** As {@link step}, unless a message of it cannot be written. @returns where that would go; nothing has happened then */
  tryStep(event: MachineEvent): UnwritablePlace | undefined {
    return this.#tryToTake(step(this.#context.definition, this.state, event), event.at);
  }

  #tryToTake(next: Step, at: Millis): UnwritablePlace | undefined {
    const place = this.#placeOf(next);
    if (place === undefined) this.#take(next, at);
    return place;
  }

  /**
   * Takes in what a source has found, a service announces or is said of it, or receivers of alerts have taken. What its topic
   * does not take is left out, and stays unannounced: a source finds it again in its next scan.
   *
   * @returns where its events would go and cannot; nothing has happened then
   */
  find(finding: ToldFinding['finding'], at: Millis): UnwritablePlace | undefined {
    if (
      finding.type === 'scan-ended' ||
      finding.type === 'landings-missed' ||
      finding.type === 'alerts-delivered' ||
      finding.type === 'service-told'
    )
      return this.tryStep({ ...finding, at });
    const first = step(this.#context.definition, this.state, { ...finding, at });
    const refused = new Map<unknown, string>();
    for (const effect of first.effects) {
      if (effect.type !== 'publish' || effect.role !== 'frontier') continue;
      const excess = this.#context.limits.excess(this.#messageRecord(effect));
      const what = describeInput(effect.message);
      // Its landing's own partition, not a copy.
      if (excess !== undefined)
        refused.set(effect.message.partitions[0], `${what}: ${describeExcess(excess, 'its event')}`);
    }
    const isTaken = ({ partition }: { partition: Partition }): boolean => !refused.has(partition);
    if (refused.size === 0) return this.#tryToTake(first, at);
    const place = this.tryStep(withOnly(finding, isTaken, at));
    if (place === undefined)
      for (const text of refused.values())
        this.unannounced.push(`${announcerOf(finding)} does not announce ${text}`);
    return place;
  }

  /** The partition without a leader to which a message of this step would go. */
  #placeOf({ effects }: Step): UnwritablePlace | undefined {
    return this.#context.unwritable.placeOf(
      effects.flatMap((effect) => (effect.type === 'publish' ? [this.#messageRecord(effect)] : [])),
    );
  }

  #take({ state, effects }: Step, at: Millis): readonly Effect[] {
    this.state = state;
    for (const effect of effects) this.#collect(effect);
    const all = [...effects];
    for (let rest = effects; rest.length > 0;) {
      rest = this.#shrink(rest, at);
      all.push(...rest);
    }
    return all;
  }

  /** Ends the runs of which one of these effects is a record that the state topic does not take. @returns what follows of it */
  #shrink(effects: readonly Effect[], at: Millis): Effect[] {
    const following: Effect[] = [];
    for (const effect of effects) {
      const run = effect.type === 'persist' ? runOf(effect) : undefined;
      if (effect.type !== 'persist' || run === undefined) continue;
      const excess = this.#excessOf(effect.key);
      if (excess === undefined) continue;
      const started = this.processEffects.length;
      this.processEffects = this.processEffects.filter(
        (process) => process.type !== 'submit' || nameOf(process.submission) !== nameOf(run),
      );
      const { state, effects: more } = step(this.#context.definition, this.state, {
        type: 'record-too-large',
        at,
        run,
        error: describeExcess(excess, 'its record'),
        isStarted: started === this.processEffects.length,
      });
      this.state = state;
      for (const each of more) this.#collect(each);
      following.push(...more);
    }
    return following;
  }

  #excessOf(key: string): Excess | undefined {
    const record = this.#state.get(key);
    // The removal of a record has to be written, whatever its size.
    return record === undefined || record.value === null ? undefined : this.#context.limits.excess(record);
  }

  /** Why the landing or pause that this step remembers cannot be: a record other than a run's that its topic does not take. */
  #refusalOf({ effects }: Step): Rejection | undefined {
    for (const effect of effects) {
      if (effect.type !== 'persist' || effect.value === null || runOf(effect) !== undefined) continue;
      const excess = this.#context.limits.excess(this.#stateRecord(effect));
      if (excess !== undefined) return { reason: describeExcess(excess, 'its state record') };
    }
    return undefined;
  }

  /**
   * Takes a record in, and its partition's position past it.
   *
   * @returns where a message, or a dead letter, of it would go and cannot; nothing has happened then
   */
  arrive({ record, batch, next }: Arrival, at: Millis): UnwritablePlace | undefined {
    const kind = this.#context.kinds.get(batch.topic);
    const place = record === null || kind === undefined ? undefined : this.#takeIn(kind, record, at);
    if (place !== undefined) return place;
    this.#arrivals += 1;
    if (batch.jumped !== undefined && batch.jumped.from !== batch.jumped.to)
      this.events.push(gapEvent(batch, batch.jumped));
    // A partition that was added to a topic made again may be known before the reader hands out the rest of the former topic.
    const isOfFormer =
      batch.jumped === undefined && !isSameTopic(this.#topicIdOf(batch.topic), batch.topicId);
    if (isOfFormer) return undefined;
    const { topic, topicId, partition } = batch;
    this.#readTo({ topic, topicId, partition, offset: next });
    return undefined;
  }

  #takeIn(kind: InputRole, record: KafkaRecord, at: Millis): UnwritablePlace | undefined {
    const input = readInput(kind, record);
    if (!input.ok) return this.#reject(record, input.rejection, at);
    const { from, message, record: fields } = input;
    const event = { type: 'message', at, from, message, record: fields } as const;
    const next = step(this.#context.definition, this.state, event);
    const refusal = this.#refusalOf(next);
    if (refusal !== undefined) return this.#reject(record, refusal, at);
    const place = this.#placeOf(next);
    if (place !== undefined) return place;
    const effects = this.#take(next, at);
    if (effects.some((effect) => !isMere(effect))) this.#noteInput(describeInput(message), from, effects);
    return undefined;
  }

  /** @returns where its dead letter would go and cannot; nothing has happened then */
  #reject(record: KafkaRecord, rejection: Rejection, at: Millis): UnwritablePlace | undefined {
    const { hippo, limits, unwritable } = this.#context;
    const dlq = dlqName(record.topic);
    const place = { topic: record.topic, partition: record.partition, offset: formatOffset(record.offset) };
    const letter = deadLetter(record, rejection, hippo, limits.of(dlq));
    const excess = limits.excess(letter);
    const leaderless = excess === undefined ? unwritable.placeOf([letter]) : undefined;
    if (leaderless !== undefined) return leaderless;
    this.step({ type: 'rejected', at, topic: record.topic, reason: rejectionText(rejection) });
    if (excess === undefined) {
      this.#add(letter);
      this.events.push({ event: 'rejected', ...place, ...rejection, dlq });
    } else {
      this.events.push({ event: 'rejected', ...place, ...rejection, dlq: null });
      this.#warn(
        'error',
        `no dead letter was written for ${record.topic} ${place.partition}:${place.offset}: ${describeExcess(excess, 'cut to the minimum, it')}`,
      );
    }
    return undefined;
  }

  #warn(level: 'warning' | 'error', text: string): void {
    this.events.push({ event: 'notice', level, text });
  }

  /** @returns where a message of it would go and cannot; nothing has happened then */
  exited(ended: AttemptExit, at: Millis): UnwritablePlace | undefined {
    const { submission } = ended;
    const { job, key, attemptId } = submission;
    const outcome = this.#fittingOutcome(ended, at);
    const exit = { ...ended, outcome };
    const place = this.tryStep({ type: 'job-exited', at, run: { job, key }, attemptId, outcome });
    if (place !== undefined) return place;
    this.exits.push(exit);
    const run = findRun(this.state, { job, key });
    const notBefore = run?.status === 'ready' ? run.notBefore : null;
    this.events.push({
      event: 'ended',
      job,
      run_key: key,
      job_id: submission.jobId,
      attempt: submission.attempt,
      outcome: outcome.status,
      exit_code: outcome.status === 'succeeded' ? 0 : outcome.status === 'failed' ? outcome.exitCode : null,
      duration_ms: exit.durationMs,
      ...(outcome.status === 'failed'
        ? { error: outcome.error }
        : 'reason' in outcome
          ? { error: outcome.reason }
          : {}),
      ...(notBefore === null ? {} : { next_attempt_at: new Date(notBefore).toISOString() }),
      log: exit.logFile,
    });
    return undefined;
  }

  /**
   * A result that its finish message cannot carry makes the run fail: others may need it. So does an output that cannot be
   * published: the machine refuses one whose partition cannot be rendered, and the topic one whose event is too large.
   */
  #fittingOutcome({ submission, outcome }: AttemptExit, at: Millis): JobOutcome {
    if (outcome.status !== 'succeeded') return outcome;
    const { job, key, attemptId } = submission;
    const { definition } = this.#context;
    const hasOutputs = (definition.jobs.get(job)?.outputs.length ?? 0) > 0;
    if (outcome.result === undefined && !hasOutputs && !definition.builders.has(job)) return outcome;
    const known = findRun(this.state, { job, key });
    const unbuilt =
      known?.attemptId === attemptId ? buildProblem(definition, known, outcome.result) : undefined;
    // Another attempt may write it.
    if (unbuilt !== undefined) return { status: 'failed', exitCode: 0, error: unbuilt };
    const event = { type: 'job-exited', at, run: { job, key }, attemptId, outcome } as const;
    const { effects } = step(this.#context.definition, this.state, event);
    for (const effect of effects) {
      const error =
        effect.type === 'publish'
          ? this.#unfitness(effect, submission.jobId)
          : effect.type === 'persist'
            ? this.#unfitnessOfRecord(effect)
            : undefined;
      if (error !== undefined) return { status: 'failed', exitCode: 0, error, permanent: true };
    }
    return outcome;
  }

  /** Why a message of a success that the job has reported keeps it from being one. */
  #unfitness(effect: Publish, jobId: string): string | undefined {
    const { message } = effect;
    if (message.kind === 'finish') {
      if (message.jobId === jobId && !message.isSuccess) return message.errorMsg ?? '';
      const excess = this.#context.limits.excess(
        this.#messageRecord({ ...effect, message: withoutList(message) }),
      );
      return excess === undefined ? undefined : describeExcess(excess, 'the finish message with its result');
    }
    if (message.kind === 'model') {
      const excess = this.#context.limits.excess(this.#messageRecord(effect));
      return excess === undefined ? undefined : describeExcess(excess, 'its NEW_MODEL');
    }
    if (message.kind !== 'frontier') return undefined;
    const excess = this.#context.limits.excess(this.#messageRecord(effect));
    return excess === undefined
      ? undefined
      : describeExcess(excess, `the event of its output ${message.db}.${message.table}`);
  }

  /** A result that is to be kept, or the versions of a model, that the state topic does not take keep a success from being one. */
  #unfitnessOfRecord(effect: Extract<Effect, { type: 'persist' }>): string | undefined {
    const kind = parseStateKey(effect.key)?.kind;
    if (kind !== 'last-result' && kind !== 'model') return undefined;
    const excess = this.#context.limits.excess(this.#stateRecord(effect));
    const what = kind === 'model' ? 'the record of its model' : 'the record that keeps its result';
    return excess === undefined ? undefined : describeExcess(excess, what);
  }

  #collect(effect: Effect): void {
    switch (effect.type) {
      case 'persist': {
        const record = this.#stateRecord(effect);
        // The last word on a key counts.
        this.#state.set(effect.key, record);
        this.#bytes += (record.value?.length ?? 0) + effect.key.length;
        break;
      }
      case 'publish':
        this.#publish(effect);
        break;
      case 'submit':
      case 'cancel':
      case 'scan':
        this.processEffects.push(effect);
        break;
      case 'announced':
        this.events.push({
          event: 'announced',
          source: effect.source,
          table: effect.table,
          landings: effect.landings.map(({ partition, execDate }) => ({ partition, exec_date: execDate })),
        });
        break;
      case 'produced':
        this.events.push({
          event: 'produced',
          job: effect.run.job,
          run_key: effect.run.key,
          job_id: effect.jobId,
          table: effect.event.table,
          partition: effect.event.partition,
          exec_date: effect.event.execDate,
        });
        break;
      case 'notice':
        if (isMere(effect) && (this.#mere += 1) > MOST_MERE) break;
        this.events.push({
          event: 'notice',
          level: effect.level,
          text: effect.text,
          ...(effect.run === undefined ? {} : { job: effect.run.job, run_key: effect.run.key }),
        });
        break;
    }
  }

  #stateRecord(effect: Extract<Effect, { type: 'persist' }>): OutgoingRecord {
    const known = this.#encoded.get(effect);
    if (known !== undefined) return known;
    const record = this.#context.stateTopic.record(effect.key, effect.value);
    this.#encoded.set(effect, record);
    return record;
  }

  #messageRecord({ role, message, traceparent }: Published): OutgoingRecord {
    return {
      topic: topicName(this.#context.config, role),
      key: keyOf(message),
      value: serialiseMessage(message),
      ...(traceparent === null ? {} : { headers: { traceparent } }),
    };
  }

  #publish(effect: Publish): void {
    const { message } = effect;
    this.#addFitting(effect);
    if (message.kind !== 'finish') return;
    this.events.push({
      event: 'finished',
      job: message.jobName,
      run_key: message.runKey ?? '',
      job_id: message.jobId,
      is_success: message.isSuccess,
      duration_s: message.durationTime,
    });
  }

  /** Where the topic does not take the whole message: as much of it as it takes. */
  #addFitting(effect: Publish): void {
    let excess: Excess | undefined;
    for (const smaller of smallerAndSmaller(effect.message)) {
      const record = this.#messageRecord({ ...effect, message: smaller });
      const over = this.#context.limits.excess(record);
      if (over === undefined) {
        this.#add(record);
        if (excess !== undefined) this.#tellCut(effect, 'was cut', excess);
        return;
      }
      excess ??= over;
    }
    if (excess !== undefined) this.#tellCut(effect, 'was not written', excess);
  }

  #tellCut({ role, message }: Publish, what: string, excess: Excess): void {
    const { job, run_key } = subjectOf(message);
    const subject = job === undefined ? run_key : `${job} ${run_key}`;
    this.events.push({
      event: 'notice',
      level: 'warning',
      text: `the ${role} message of ${subject} ${what}: ${describeExcess(excess, 'it')}`,
      ...(job === undefined ? {} : { job, run_key }),
    });
  }

  #add(record: OutgoingRecord): void {
    this.#messages.push(record);
    this.#bytes += record.value?.length ?? 0;
  }

  #noteInput(input: string, from: MessageRef, effects: readonly Effect[]): void {
    const { topic, partition, offset } = from;
    this.events.push({
      event: 'input',
      input,
      topic,
      partition,
      offset,
      // The last word on a run counts.
      runs: [
        ...new Map(
          effects
            .flatMap((effect) => this.#changedRun(effect))
            .map((run) => [nameOf({ job: run.job, key: run.run_key }), run] as const),
        ).values(),
      ],
    });
  }

  #changedRun(effect: Effect): (LoggedRun & { status: RunStatus })[] {
    const key = effect.type === 'persist' ? parseStateKey(effect.key) : undefined;
    if (effect.type !== 'persist' || key?.kind !== 'run') return [];
    const record = parseStateRecord(key, effect.value);
    return record?.kind === 'run' ? [{ job: key.job, run_key: key.key, status: record.run.status }] : [];
  }
}

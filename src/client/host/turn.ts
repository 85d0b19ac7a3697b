/**
 * One turn of the client's loop: what has come in, stepped through the machine, as one list of records to be written in
 * one transaction and a list of things to do after it. Pure but for the clock that is passed in.
 */
import type { Millis } from '../../core/clock.ts';
import { formatOffset, isSameTopic } from '../../core/record-ref.ts';
import type { Config } from '../../config/schema.ts';
import type { OutgoingRecord } from '../../kafka/port.ts';
import { dlqName, topicName } from '../../config/topics.ts';
import { type MessageRef, serialiseMessage } from '../../messages/index.ts';
import {
  type Positions,
  type RunStatus,
  parseStateKey,
  parseStateRecord,
  withPosition,
} from '../../state/index.ts';
import {
  type Definition,
  type Effect,
  type MachineEvent,
  type MachineState,
  findRun,
  step,
} from '../machine/index.ts';
import { type ClientEvent, type LoggedRun, gapEvent } from './client-event.ts';
import { type InputKind, deadLetter, describeInput, readInput } from './inputs.ts';
import type { Arrival } from './mailbox.ts';
import type { StateTopic } from './state-topic.ts';
import type { AttemptExit } from './supervisor.ts';

/** A transaction's records go to a partition in one batch, which brokers limit to 1 MB. */
const MAX_TURN_BYTES = 256 * 1024;
const MAX_TURN_ARRIVALS = 2_000;

export interface TurnContext {
  definition: Definition;
  config: Config;
  hippo: string;
  stateTopic: StateTopic;
  kinds: ReadonlyMap<string, InputKind>;
}

/** Of so many ignored landings a turn says each: a backfill that is published again may be of a million. */
const MOST_MERE = 50;

/** A notice that says that nothing happens. */
function isMere(effect: Effect): boolean {
  return effect.type === 'notice' && effect.level === 'info';
}

/** What the supervisor has to do. */
export type ProcessEffect = Extract<Effect, { type: 'submit' | 'cancel' | 'scan' }>;

export class Turn {
  state: MachineState;
  positions: Positions;
  /** What people should know, once the turn is written. */
  readonly events: ClientEvent[] = [];
  /** What to start and stop, once the turn is written. */
  readonly processEffects: ProcessEffect[] = [];
  readonly exits: AttemptExit[] = [];
  readonly #context: TurnContext;
  readonly #state = new Map<string, OutgoingRecord>();
  readonly #messages: OutgoingRecord[] = [];
  #bytes = 0;
  /** How many landings were ignored. */
  #mere = 0;
  #arrivals = 0;

  constructor(context: TurnContext, state: MachineState, positions: Positions) {
    this.#context = context;
    this.state = state;
    this.positions = positions;
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

  /** The transaction, the input positions included. */
  get records(): OutgoingRecord[] {
    return [...this.#state.values(), ...this.#messages, this.#context.stateTopic.offsets(this.positions)];
  }

  step(event: MachineEvent): readonly Effect[] {
    const { state, effects } = step(this.#context.definition, this.state, event);
    this.state = state;
    for (const effect of effects) this.#collect(effect);
    return effects;
  }

  arrive({ record, batch, next }: Arrival, at: Millis): void {
    this.#arrivals += 1;
    const kind = this.#context.kinds.get(batch.topic);
    if (batch.jumped !== undefined && batch.jumped.from !== batch.jumped.to)
      this.events.push(gapEvent(batch, batch.jumped));
    if (record !== null && kind !== undefined) {
      const input = readInput(kind, record);
      if (input.ok) {
        const effects = this.step({ type: 'message', at, from: input.from, message: input.message });
        if (effects.some((effect) => !isMere(effect)))
          this.#noteInput(describeInput(input.message), input.from, effects);
      } else {
        this.#add(deadLetter(record, input.rejection, this.#context.hippo));
        this.events.push({
          event: 'rejected',
          topic: record.topic,
          partition: record.partition,
          offset: formatOffset(record.offset),
          ...input.rejection,
          dlq: dlqName(record.topic),
        });
      }
    }
    // A partition that was added to a topic made again may be known before the reader hands out the rest of the former topic.
    const isOfFormer =
      batch.jumped === undefined && !isSameTopic(this.positions.get(batch.topic)?.topicId, batch.topicId);
    if (isOfFormer) return;
    this.positions = withPosition(this.positions, {
      topic: batch.topic,
      topicId: batch.topicId,
      partition: batch.partition,
      offset: next,
    });
  }

  exited(exit: AttemptExit, at: Millis): void {
    const { submission, outcome } = exit;
    const { job, key, attemptId } = submission;
    this.exits.push(exit);
    this.step({ type: 'job-exited', at, run: { job, key }, attemptId, outcome });
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
  }

  #collect(effect: Effect): void {
    switch (effect.type) {
      case 'persist': {
        const record = this.#context.stateTopic.record(effect.key, effect.value);
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

  #publish({ role, message, traceparent }: Extract<Effect, { type: 'publish' }>): void {
    this.#add({
      topic: topicName(this.#context.config, role),
      key:
        message.kind === 'frontier'
          ? `${message.db}.${message.table}`
          : `${message.hippoName}/${message.jobName}`,
      value: serialiseMessage(message),
      ...(traceparent === null ? {} : { headers: { traceparent } }),
    });
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
      runs: effects.flatMap((effect) => this.#changedRun(effect)),
    });
  }

  #changedRun(effect: Effect): (LoggedRun & { status: RunStatus })[] {
    const key = effect.type === 'persist' ? parseStateKey(effect.key) : undefined;
    if (effect.type !== 'persist' || key?.kind !== 'run') return [];
    const record = parseStateRecord(key, effect.value);
    return record?.kind === 'run' ? [{ job: key.job, run_key: key.key, status: record.run.status }] : [];
  }
}

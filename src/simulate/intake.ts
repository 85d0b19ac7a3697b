import { isoTime } from '../core/clock.ts';
import { describeInput, readInput, rejectionText } from '../client/host/inputs.ts';
import { type Definition, subjectsOf, tableSubject } from '../client/machine/definition.ts';
import { modelOrderOf } from '../client/machine/models.ts';
import { type InputRole, inputRoles, topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import {
  type FrontierEvent,
  type HippoMessage,
  type MeasuredVersion,
  type ModelMessage,
  isNewModel,
  producedBy,
} from '../messages/index.ts';
import type { Letter, SimulatedMessage } from './simulate.ts';
import { type Timed, timeline } from './timeline.ts';

/** Messages that the client would reject, grouped by the reason. */
export interface Rejected {
  reason: string;
  /** The field that the reason is about; null for the whole message. */
  field: string | null;
  count: number;
  /** The first of them. */
  first: RecordRef;
}

export interface IntakeReport {
  /** All records that were read. */
  records: number;
  /** ISO 8601, of the first and the last record; null if there is none. */
  from: string | null;
  to: string | null;
  /** Records of topics that a client of this hippo does not read, by topic. */
  elsewhere: Record<string, number>;
  /** Messages that no job needs, by table or by job. */
  unneeded: Record<string, number>;
  /** Finish messages of this hippo; the simulation produces its own instead. */
  own_finishes: number;
  /** Events of outputs, and versions of models, of this hippo; the simulation produces its own instead. */
  own_events: number;
  rejected: Rejected[];
}

/** Reads records as a client does. It counts messages that no job needs and drops them. */
export class Intake {
  readonly #definition: Definition;
  /** Some need looks at more than the message. */
  readonly #keepsRecords: boolean;
  readonly #kinds: ReadonlyMap<string, InputRole>;
  readonly #kept: (SimulatedMessage & { record: Omit<KafkaRecord, 'key' | 'value' | 'headers'> })[] = [];
  readonly #letters: (Letter & { record: Omit<KafkaRecord, 'key' | 'value' | 'headers'> })[] = [];
  readonly #rejected = new Map<string, Rejected>();
  readonly #report = {
    records: 0,
    elsewhere: new Counts(),
    unneeded: new Counts(),
    own_finishes: 0,
    own_events: 0,
  };
  /** By model. */
  readonly #versions = new Map<string, MeasuredVersion[]>();
  #first = Infinity;
  #last = -Infinity;

  constructor(definition: Definition, config: InputConfig) {
    this.#definition = definition;
    this.#keepsRecords = [...definition.jobs.values()].some(({ needs }) =>
      needs.some(({ when, dates }) => when !== undefined || dates === 'timestamp'),
    );
    this.#kinds = inputTopics(config);
  }

  take(record: KafkaRecord): void {
    const { topic, partition, offset, timestamp } = record;
    this.#report.records += 1;
    if (isoTime(timestamp) !== null) {
      this.#first = Math.min(this.#first, timestamp);
      this.#last = Math.max(this.#last, timestamp);
    }
    const kind = this.#kinds.get(topic);
    if (kind === undefined) {
      this.#report.elsewhere.add(topic);
      return;
    }
    const input = readInput(kind, record);
    if (!input.ok) {
      const { reason, key = null } = input.rejection;
      const id = JSON.stringify([topic, reason, key]);
      const known = this.#rejected.get(id) ?? {
        reason,
        field: key,
        count: 0,
        first: recordRef(record),
      };
      this.#rejected.set(id, { ...known, count: known.count + 1 });
      this.#letters.push({
        topic,
        reason: rejectionText(input.rejection),
        record: { topic, partition, offset, timestamp },
      });
    } else if (this.#isNeeded(input.message)) {
      this.#kept.push({
        from: input.from,
        message: input.message,
        ...(this.#keepsRecords ? { fields: input.record } : {}),
        record: { topic, partition, offset, timestamp },
      });
    }
  }

  /** The needed messages, in the order in which a client would have read them. */
  messages(): Timed<SimulatedMessage>[] {
    return timeline(this.#kept);
  }

  /** The records that a client would have rejected, in the order in which it would have read them. */
  letters(): Timed<Letter>[] {
    return timeline(this.#letters);
  }

  /** The versions of this hippo's models that were built while this was recorded, by model, the oldest first. */
  recordedVersions(): ReadonlyMap<string, readonly MeasuredVersion[]> {
    return this.#versions;
  }

  report(): IntakeReport {
    const { records, elsewhere, unneeded, own_finishes, own_events } = this.#report;
    const time = (at: number): string | null => (Number.isFinite(at) ? new Date(at).toISOString() : null);
    return {
      records,
      from: time(this.#first),
      to: time(this.#last),
      elsewhere: elsewhere.sorted(),
      unneeded: unneeded.sorted(),
      own_finishes,
      own_events,
      rejected: [...this.#rejected.values()].sort((a, b) => b.count - a.count),
    };
  }

  #isNeeded(message: HippoMessage): boolean {
    const { hippo, listeners } = this.#definition;
    const isOwn = 'hippoName' in message && message.hippoName === hippo;
    if (isOwn && message.kind === 'schedule') return true;
    // The simulation makes its own.
    if (message.kind === 'model' && this.#isOwnVersion(message)) {
      this.#report.own_events += 1;
      return false;
    }
    if (modelOrderOf(this.#definition, message) !== undefined) return true;
    if (message.kind === 'frontier' && this.#isOwnOutput(message)) {
      this.#report.own_events += 1;
      return false;
    }
    if (isOwn && (message.kind === 'start' || message.kind === 'finish')) {
      if (message.kind === 'finish') this.#report.own_finishes += 1;
      return false;
    }
    if (subjectsOf(message).some((subject) => listeners.has(subject))) return true;
    this.#report.unneeded.add(nameOf(message));
    return false;
  }

  #isOwnVersion(message: ModelMessage): boolean {
    const { hippo, models } = this.#definition;
    if (!isNewModel(message) || message.hippoName !== hippo || !models.has(message.model)) return false;
    const { model, version, metrics, by } = message;
    // A promotion by hand builds nothing.
    if (by === undefined)
      this.#versions.set(model, [...(this.#versions.get(model) ?? []), { version, metrics }]);
    return true;
  }

  /** An output that needs its job's result is not produced by a simulation: what is recorded of it counts. */
  #isOwnOutput(message: FrontierEvent): boolean {
    const by = producedBy(message);
    if (by?.hippoName !== this.#definition.hippo) return false;
    const outputs = this.#definition.jobs.get(by.jobName)?.outputs ?? [];
    return outputs.some(
      ({ db, table, needsResult }) =>
        !needsResult && tableSubject(db, table) === tableSubject(message.db, message.table),
    );
  }
}

/** The table or job that it is about. */
function nameOf(message: HippoMessage): string {
  if (message.kind === 'frontier') return `${message.db}.${message.table}`;
  return 'jobName' in message ? `${message.hippoName}/${message.jobName}` : describeInput(message);
}

/** What says which topics a hippo reads. */
type InputConfig = Pick<Config, 'topics' | 'jobs' | 'services' | 'models'>;

/** The topics that a client reads, and the kind of message of each. */
export function inputTopics(config: InputConfig): Map<string, InputRole> {
  return new Map(inputRoles(config).map((role) => [topicName(config, role), role]));
}

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The largest first. */
  sorted(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a));
  }
}

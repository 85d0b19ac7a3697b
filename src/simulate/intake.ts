import { isoTime } from '../core/clock.ts';
import { type InputKind, readInput } from '../client/host/inputs.ts';
import { tableSubject, jobSubject, type Definition } from '../client/machine/definition.ts';
import { inputRoles, topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import type { FrontierEvent, JobFinish, ManualRequest } from '../messages/index.ts';
import type { SimulatedMessage } from './simulate.ts';
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
  rejected: Rejected[];
}

/** Reads records as a client does. It counts messages that no job needs and drops them. */
export class Intake {
  readonly #definition: Definition;
  readonly #kinds: ReadonlyMap<string, InputKind>;
  readonly #kept: (SimulatedMessage & { record: Omit<KafkaRecord, 'key' | 'value' | 'headers'> })[] = [];
  readonly #rejected = new Map<string, Rejected>();
  readonly #report = { records: 0, elsewhere: new Counts(), unneeded: new Counts(), own_finishes: 0 };
  #first = Infinity;
  #last = -Infinity;

  constructor(definition: Definition, config: Pick<Config, 'topics'>) {
    this.#definition = definition;
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
    } else if (this.#isNeeded(input.message)) {
      this.#kept.push({
        from: input.from,
        message: input.message,
        record: { topic, partition, offset, timestamp },
      });
    }
  }

  /** The needed messages, in the order in which a client would have read them. */
  messages(): Timed<SimulatedMessage>[] {
    return timeline(this.#kept);
  }

  report(): IntakeReport {
    const { records, elsewhere, unneeded, own_finishes } = this.#report;
    const time = (at: number): string | null => (Number.isFinite(at) ? new Date(at).toISOString() : null);
    return {
      records,
      from: time(this.#first),
      to: time(this.#last),
      elsewhere: elsewhere.sorted(),
      unneeded: unneeded.sorted(),
      own_finishes,
      rejected: [...this.#rejected.values()].sort((a, b) => b.count - a.count),
    };
  }

  #isNeeded(message: FrontierEvent | JobFinish | ManualRequest): boolean {
    const { hippo, listeners } = this.#definition;
    if (message.kind === 'frontier') {
      const { db, table } = message;
      if (listeners.has(tableSubject(db, table))) return true;
      this.#report.unneeded.add(`${db}.${table}`);
      return false;
    }
    const { hippoName, jobName } = message;
    if (message.kind === 'schedule' && hippoName === hippo) return true;
    if (message.kind === 'finish' && hippoName === hippo) {
      this.#report.own_finishes += 1;
      return false;
    }
    if (message.kind === 'finish' && listeners.has(jobSubject(hippoName, jobName))) return true;
    this.#report.unneeded.add(`${hippoName}/${jobName}`);
    return false;
  }
}

/** The topics that a client reads, and the kind of message of each. */
export function inputTopics(config: Pick<Config, 'topics'>): Map<string, InputKind> {
  return new Map(inputRoles().map((role) => [topicName(config, role), role]));
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

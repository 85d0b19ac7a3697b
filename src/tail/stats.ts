import { isoTime } from '../core/clock.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { type HippoMessage, type MessageKind, parseMessage, recognise } from '../messages/index.ts';

/** How much there is, and how fast it came. */
export interface Flow {
  records: number;
  /** Of keys and values. */
  bytes: number;
  /** ISO 8601, of the earliest and the latest timestamp; null where there is none. */
  first: string | null;
  last: string | null;
  /** Records a second from the first to the last, to three digits; null where no time passed between them. */
  rate: number | null;
}

/** What landed of a table. */
export interface TableStats {
  /** `btd.party` */
  table: string;
  events: number;
  /** ISO 8601, when the latest came; null where the broker has no time. */
  last: string | null;
}

/** What a hippo did. */
export interface HippoStats {
  hippo: string;
  started: number;
  succeeded: number;
  failed: number;
  /** Seconds, of the runs that ended; null where none did. */
  mean_duration: number | null;
  /** Manual requests. */
  requested: number;
  /** By its latest health message; null where there is none. */
  well: boolean | null;
}

export interface TailStats extends Flow {
  topics: (Flow & { topic: string })[];
  tables: TableStats[];
  hippos: HippoStats[];
  /** Records that are no hippo message. */
  others: number;
}

/** Sums records up as they pass; its memory grows with topics, tables and hippos only. */
export class Statistics {
  readonly #kinds: ReadonlyMap<string, MessageKind>;
  readonly #topics: Map<string, Tally>;
  readonly #tables = new Map<string, { events: number; last: number }>();
  readonly #hippos = new Map<string, HippoStats & { seconds: number }>();
  #others = 0;

  /** @param kinds the kind of message that a topic carries; others are recognised by their shape */
  constructor(topics: readonly string[], kinds: ReadonlyMap<string, MessageKind>) {
    this.#kinds = kinds;
    this.#topics = new Map(topics.map((topic) => [topic, new Tally()]));
  }

  take(record: KafkaRecord): void {
    let tally = this.#topics.get(record.topic);
    if (tally === undefined) this.#topics.set(record.topic, (tally = new Tally()));
    tally.add(record);
    const message = this.#parse(record);
    if (message === undefined) this.#others++;
    else this.#addMessage(message, record.timestamp);
  }

  report(): TailStats {
    const all = new Tally();
    for (const tally of this.#topics.values()) all.merge(tally);
    return {
      ...all.report(),
      topics: [...this.#topics].map(([topic, tally]) => ({ topic, ...tally.report() })),
      tables: [...this.#tables]
        .map(([table, { events, last }]) => ({ table, events, last: isoTime(last) }))
        .sort((left, right) => right.events - left.events || left.table.localeCompare(right.table)),
      hippos: [...this.#hippos.values()]
        .map(({ seconds, ...hippo }) => {
          const ended = hippo.succeeded + hippo.failed;
          return { ...hippo, mean_duration: ended === 0 ? null : Math.round((seconds / ended) * 10) / 10 };
        })
        .sort((left, right) => left.hippo.localeCompare(right.hippo)),
      others: this.#others,
    };
  }

  #parse({ topic, value }: KafkaRecord): HippoMessage | undefined {
    if (value === null) return undefined;
    const kind = this.#kinds.get(topic) ?? recognise(value);
    const parsed = kind === undefined ? undefined : parseMessage(kind, value);
    return parsed?.ok === true ? parsed.message : undefined;
  }

  #addMessage(message: HippoMessage, timestamp: number): void {
    switch (message.kind) {
      case 'frontier': {
        const table = `${message.db}.${message.table}`;
        const { events, last } = this.#tables.get(table) ?? { events: 0, last: -1 };
        this.#tables.set(table, { events: events + 1, last: Math.max(last, timestamp) });
        return;
      }
      case 'start':
        this.#hippo(message.hippoName).started++;
        return;
      case 'finish': {
        const hippo = this.#hippo(message.hippoName);
        if (message.isSuccess) hippo.succeeded++;
        else hippo.failed++;
        hippo.seconds += message.durationTime;
        return;
      }
      case 'schedule':
        this.#hippo(message.hippoName).requested++;
        return;
      case 'health':
        this.#hippo(message.serviceName).well = message.isSuccess === 1;
        return;
      case 'alert':
      case 'model':
        return;
    }
  }

  #hippo(hippo: string): HippoStats & { seconds: number } {
    let stats = this.#hippos.get(hippo);
    if (stats === undefined) {
      stats = {
        hippo,
        started: 0,
        succeeded: 0,
        failed: 0,
        mean_duration: null,
        requested: 0,
        well: null,
        seconds: 0,
      };
      this.#hippos.set(hippo, stats);
    }
    return stats;
  }
}

class Tally {
  records = 0;
  bytes = 0;
  first = Infinity;
  last = -Infinity;

  add({ key, value, timestamp }: KafkaRecord): void {
    this.records++;
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0);
    if (timestamp < 0) return;
    if (timestamp < this.first) this.first = timestamp;
    if (timestamp > this.last) this.last = timestamp;
  }

  merge({ records, bytes, first, last }: Tally): void {
    this.records += records;
    this.bytes += bytes;
    this.first = Math.min(this.first, first);
    this.last = Math.max(this.last, last);
  }

  report(): Flow {
    const { records, bytes, first, last } = this;
    const seconds = (last - first) / 1000;
    return {
      records,
      bytes,
      first: isoTime(first),
      last: isoTime(last),
      rate: seconds > 0 ? Number((records / seconds).toPrecision(3)) : null,
    };
  }
}

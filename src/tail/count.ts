import type { KafkaRecord } from '../kafka/port.ts';

export interface TopicCount {
  topic: string;
  records: number;
}

/** Counts records by topic; topics without any are counted too. */
export class Counter {
  readonly #counts: Map<string, number>;

  constructor(topics: readonly string[]) {
    this.#counts = new Map(topics.map((topic) => [topic, 0]));
  }

  take({ topic }: KafkaRecord): void {
    this.#counts.set(topic, (this.#counts.get(topic) ?? 0) + 1);
  }

  report(): TopicCount[] {
    return [...this.#counts].map(([topic, records]) => ({ topic, records }));
  }
}

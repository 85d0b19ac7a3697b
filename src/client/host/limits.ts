import { UserError } from '../../core/errors.ts';
import type { RecordTooLargeError, TopicLimit } from '../../kafka/failures.ts';
import type { Kafka, OutgoingRecord } from '../../kafka/port.ts';
import { sizeAbove } from '../../kafka/record-size.ts';

/** How long what the brokers have said of the topics is taken as true, milliseconds. */
const VALIDITY = 60_000;

/** A record that its topic does not take. */
export interface Excess {
  topic: string;
  /** What it needs: the batch that holds nothing else. */
  bytes: number;
  limit: TopicLimit;
}

/** What the topics take that a client writes to, as far as that is known. */
export class Limits {
  readonly #kafka: Pick<Kafka, 'topicLimit'>;
  readonly #known = new Map<string, TopicLimit>();
  #askedAt = -Infinity;

  constructor(kafka: Pick<Kafka, 'topicLimit'>) {
    this.#kafka = kafka;
  }

  /** Asks the brokers, if the last answers are old. A topic that does not answer keeps what is known of it. */
  async refresh(topics: readonly string[]): Promise<void> {
    if (performance.now() - this.#askedAt < VALIDITY) return;
    this.#askedAt = performance.now();
    await Promise.all(
      topics.map(async (topic) => {
        try {
          this.#known.set(topic, await this.#kafka.topicLimit(topic));
        } catch {
          // What is refused says it too.
        }
      }),
    );
  }

  /** Takes in what a refused record says of its topic. @returns false where that was known: it was written all the same */
  learn({ topic, bytes, limit }: RecordTooLargeError): boolean {
    const isNews = bytes <= this.of(topic);
    // A topic whose settings may not be read takes less than what it has just refused.
    if (isNews) this.#known.set(topic, { ...limit, bytes: Math.min(limit.bytes, bytes - 1) });
    return isNews;
  }

  /** Bytes of a batch; Infinity where it is unknown. */
  of(topic: string): number {
    return this.#known.get(topic)?.bytes ?? Infinity;
  }

  /** undefined: its topic takes it, as far as that is known. */
  excess(record: OutgoingRecord): Excess | undefined {
    const limit = this.#known.get(record.topic);
    const bytes = limit === undefined ? undefined : sizeAbove(record, limit.bytes);
    return limit === undefined || bytes === undefined ? undefined : { topic: record.topic, bytes, limit };
  }
}

/** `its record needs 1200 bytes; max.message.bytes of the topic hippo-state is 1000`, where `what` is "its record" */
export function describeExcess({ topic, bytes, limit }: Excess, what: string): string {
  return `${what} needs ${bytes} bytes; ${limit.setting} of the topic ${topic} is ${limit.bytes}`;
}

/** The topic does not take what every hippo must write: positions, the owner, the removal of a record. */
export function requiredRecord(error: RecordTooLargeError, brokers: readonly string[]): UserError {
  const { topic, bytes, limit } = error;
  return new UserError(`the topic ${topic} does not take a record that this hippo must write`, {
    why: `${limit.setting} of the topic is ${limit.bytes}; the record needs ${bytes} bytes and cannot be smaller`,
    next: [
      `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --topic ${topic} --add-config ${limit.setting}=${Math.max(1_048_588, bytes)}`,
    ],
    place: error.place,
    cause: error,
  });
}

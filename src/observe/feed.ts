import { topicName } from '../config/topics.ts';
import type { Config, TopicRole } from '../config/schema.ts';
import type { Millis } from '../core/clock.ts';
import { within } from '../core/deadline.ts';
import { BugError } from '../core/errors.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import type { Kafka, KafkaRecord, OffsetRange, Reader, TopicPartitionOffset } from '../kafka/port.ts';
import { type HippoMessage, type MessageKind, parseMessage } from '../messages/index.ts';
import { type StateEntry, stateEntry } from '../state/reader.ts';

/** Brokers may be restarting: reading waits for them for so long before it fails, milliseconds. */
const PATIENCE = 60_000;

/** A message as it was found. */
export interface Found<Message> {
  message: Message;
  ref: RecordRef;
  /** The record's timestamp. */
  at: Millis;
}

type MessageOf<Role extends MessageKind> = Extract<HippoMessage, { kind: Role }>;
type MessageTakers = { [Role in MessageKind]?: (found: Found<MessageOf<Role>>) => void };

/** Called with what is read, within a partition in the order of offsets. A role without a function here is not read. */
export type Takers = MessageTakers & { state?: (entry: StateEntry) => void };

interface FeedOptions {
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt' | 'reader'>;
  config: Pick<Config, 'topics'>;
  take: Takers;
  /** From when messages are read, epoch milliseconds; null: from the present ends. The state topic is read whole. */
  since: Millis | null;
  /** Called with each record of a message's role that is not such a message. */
  onUnreadable?: (record: KafkaRecord) => void;
  /** Called after something was read, and when reading has failed. */
  onRead?: () => void;
}

interface Range extends OffsetRange {
  topic: string;
}

/**
 * Reads the topics of some roles with one reader, without a consumer group, until it is closed. It reads in the background, so
 * that what is written arrives at once; {@link Feed.catchUp} says when all that is there has arrived. Nothing is read twice.
 *
 * A topic that does not exist counts as empty. Topics and partitions that are made later are read from their beginning.
 * A topic that is deleted while it is read makes reading fail.
 */
export class Feed {
  readonly #options: FeedOptions;
  /** By topic. */
  readonly #roles: ReadonlyMap<string, TopicRole>;
  /** Up to where records have been taken in, by `topic/partition`. */
  readonly #taken = new Map<string, bigint>();
  /** The topics that exist, as of the last time that this was asked. */
  #existing: ReadonlySet<string> = new Set();
  #reader: Promise<Reader> | undefined;
  #reading: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Resolves when something was read, or when reading has ended. */
  #moved = Promise.withResolvers<undefined>();

  constructor(options: FeedOptions) {
    this.#options = options;
    const roles = Object.keys(options.take) as TopicRole[];
    this.#roles = new Map(roles.map((role) => [topicName(options.config, role), role]));
  }

  /** Settles where reading begins, and begins. What is written after this will be read. Once, before all else. */
  async start(): Promise<void> {
    await this.#readFrom(await this.#beginning(await this.#ranges()));
  }

  /**
   * Takes the present ends of all topics, and resolves when everything before them was taken in. The ends are taken after this
   * is called: what has been written before the call is read.
   *
   * @param limit how long that may take, milliseconds; left out: as long as the brokers answer
   * @returns whether the ends were reached
   * @throws ServiceError when Kafka is not there, or when a topic was deleted; the feed is of no use then
   */
  async catchUp(limit?: Millis): Promise<boolean> {
    const ranges = await this.#ranges();
    const made = ranges.filter((range) => !this.#taken.has(partitionId(range)));
    await this.#readFrom(made.map(({ topic, partition, low }) => ({ topic, partition, offset: low })));
    // Behind `stable` a transaction is open, perhaps of a client that hangs: its records are not waited for.
    return this.#reach(
      ranges.map(({ topic, partition, stable }) => ({ topic, partition, offset: stable })),
      limit,
    );
  }

  /** Whether the topic of a role existed when the feed started or caught up last. */
  exists(role: TopicRole): boolean {
    return this.#existing.has(topicName(this.#options.config, role));
  }

  async close(): Promise<void> {
    await (await this.#reader)?.close();
    await this.#reading;
  }

  async #ranges(): Promise<Range[]> {
    const { kafka } = this.#options;
    this.#existing = new Set((await kafka.topics()).map(({ topic }) => topic));
    const topics = [...this.#roles.keys()].filter((topic) => this.#existing.has(topic));
    const perTopic = await Promise.all(
      topics.map(async (topic) => (await kafka.offsets(topic)).map((range) => ({ topic, ...range }))),
    );
    return perTopic.flat();
  }

  /** Where reading begins in the partitions that are there when the feed starts. */
  async #beginning(ranges: readonly Range[]): Promise<TopicPartitionOffset[]> {
    const { kafka, since } = this.#options;
    const isState = ({ topic }: Range): boolean => this.#roles.get(topic) === 'state';
    const whole = ranges
      .filter(isState)
      .map(({ topic, partition, low }) => ({ topic, partition, offset: low }));
    const others = ranges.filter((range) => !isState(range));
    if (since === null) {
      return [...whole, ...others.map(({ topic, partition, high }) => ({ topic, partition, offset: high }))];
    }
    const perTopic = await Promise.all(
      [...new Set(others.map(({ topic }) => topic))].map(async (topic) =>
        (await kafka.offsetsAt(topic, since)).map((position) => ({ topic, ...position })),
      ),
    );
    return [...whole, ...perTopic.flat()];
  }

  async #readFrom(from: readonly TopicPartitionOffset[]): Promise<void> {
    if (from.length === 0) return;
    for (const position of from) this.#taken.set(partitionId(position), position.offset);
    if (this.#reader !== undefined) {
      (await this.#reader).add(from);
      return;
    }
    this.#reader = this.#options.kafka.reader({ from, patience: PATIENCE });
    this.#reading = this.#read(await this.#reader);
  }

  async #read(reader: Reader): Promise<void> {
    try {
      for await (const { topic, partition, records, next } of reader) {
        for (const record of records) this.#take(record);
        this.#taken.set(partitionId({ topic, partition }), next);
        this.#move();
      }
      this.#failure = new BugError('a feed was used after it was closed');
    } catch (error) {
      this.#failure = error;
    }
    this.#move();
  }

  #move(): void {
    this.#moved.resolve(undefined);
    this.#moved = Promise.withResolvers();
    this.#options.onRead?.();
  }

  #take(record: KafkaRecord): void {
    const { take } = this.#options;
    const role = this.#roles.get(record.topic);
    if (role === undefined) return;
    if (role !== 'state') {
      this.#takeMessage(role, record, take[role]);
      return;
    }
    const entry = stateEntry(record);
    if (entry !== undefined) take.state?.(entry);
  }

  #takeMessage<Role extends MessageKind>(role: Role, record: KafkaRecord, take: MessageTakers[Role]): void {
    const parsed = record.value === null ? undefined : parseMessage(role, record.value);
    if (parsed?.ok === true)
      take?.({ message: parsed.message, ref: recordRef(record), at: record.timestamp });
    else this.#options.onUnreadable?.(record);
  }

  async #reach(ends: readonly TopicPartitionOffset[], limit: Millis | undefined): Promise<boolean> {
    const deadline = performance.now() + (limit ?? 0);
    const isTaken = (end: TopicPartitionOffset): boolean =>
      (this.#taken.get(partitionId(end)) ?? -1n) >= end.offset;
    for (;;) {
      const moved = this.#moved.promise;
      if (this.#failure !== undefined) throw this.#failure as Error;
      if (ends.every(isTaken)) return true;
      if (limit === undefined) {
        await moved;
        continue;
      }
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await within(moved, { millis: left, late: () => undefined });
    }
  }
}

function partitionId({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

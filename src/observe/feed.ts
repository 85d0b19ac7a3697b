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
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>;
  config: Pick<Config, 'topics'>;
  take: Takers;
  /** From when messages are read, epoch milliseconds; null: from the present ends. The state topic is read whole. */
  since: Millis | null;
  /** Whether a message is to be decoded and taken, by its bytes; left out: each is. */
  isOfInterest?: (role: MessageKind, value: Buffer) => boolean;
  /** Called with each record of a message's role that is not such a message. */
  onUnreadable?: (role: MessageKind, record: KafkaRecord) => void;
  /** Called when a topic was deleted and made again, before the first record of the new one: the old one's are gone. */
  onMadeAgain?: (role: TopicRole) => void;
  /** Called after something was read, and when reading has failed. */
  onRead?: () => void;
}

type Position = Required<TopicPartitionOffset>;

interface Range extends OffsetRange {
  topic: string;
  topicId: string;
}

/**
 * Reads the topics of some roles with one reader, without a consumer group, until it is closed. It reads in the background, so
 * that what is written arrives at once; {@link Feed.catchUp} says when all that is there has arrived. Nothing is read twice.
 *
 * A topic that does not exist counts as empty. Topics and partitions that are made later are read from their beginning, and so
 * is a topic that is made again. A topic that is deleted for good while it is read makes reading fail.
 */
export class Feed {
  readonly #options: FeedOptions;
  /** By topic. */
  readonly #roles: ReadonlyMap<string, TopicRole>;
  /** Up to where records have been taken in, by {@link partitionId}. */
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
   * @throws ServiceError when Kafka is not there, or when a topic was deleted; the feed cannot be used after that
   */
  async catchUp(limit?: Millis): Promise<boolean> {
    const ranges = await this.#ranges();
    // The reader finds a topic that was made again by itself: it ends with the old one first, and says so.
    const read = await this.#partitionsRead();
    const made = ranges.filter(({ topic, partition }) => !read.has(`${topic}/${partition}`));
    await this.#readFrom(made.map((range) => position(range, range.low)));
    // Behind `stable` a transaction is open, perhaps of a client that hangs: its records are not waited for.
    return this.#reach(
      ranges.map((range) => position(range, range.stable)),
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
    const { found: existing, hidden } = await kafka.lookUp([...this.#roles.keys()]);
    if (hidden[0] !== undefined) throw hidden[0];
    this.#existing = new Set(existing.map(({ topic }) => topic));
    const perTopic = await Promise.all(
      existing.map(async ({ topic, topicId }) =>
        (await kafka.offsets(topic)).map((range) => ({ topic, topicId, ...range })),
      ),
    );
    return perTopic.flat();
  }

  /** Where reading begins in the partitions that are there when the feed starts. */
  async #beginning(ranges: readonly Range[]): Promise<Position[]> {
    const { kafka, since } = this.#options;
    const starts = new Map<string, ReadonlyMap<number, bigint>>();
    const start = ({ topic, partition, low, high }: Range): bigint =>
      this.#roles.get(topic) === 'state' ? low : (starts.get(topic)?.get(partition) ?? high);
    if (since !== null) {
      const topics = [...this.#existing].filter((topic) => this.#roles.get(topic) !== 'state');
      for (const [topic, found] of await Promise.all(
        topics.map(async (topic) => [topic, await kafka.offsetsAt(topic, since)] as const),
      ))
        starts.set(topic, new Map(found.map(({ partition, offset }) => [partition, offset])));
    }
    return ranges.map((range) => position(range, start(range)));
  }

  async #readFrom(from: readonly Position[]): Promise<void> {
    if (from.length === 0) return;
    for (const each of from) this.#taken.set(partitionId(each), each.offset);
    if (this.#reader !== undefined) {
      (await this.#reader).add(from);
      return;
    }
    this.#reader = this.#options.kafka.reader({ from, patience: PATIENCE });
    this.#reading = this.#read(await this.#reader);
  }

  /** `<topic>/<partition>` of each, whatever id its topic has. */
  async #partitionsRead(): Promise<ReadonlySet<string>> {
    const positions = (await this.#reader)?.positions() ?? [];
    return new Set(positions.map(({ topic, partition }) => `${topic}/${partition}`));
  }

  async #read(reader: Reader): Promise<void> {
    try {
      for await (const batch of reader) {
        if (batch.jumped?.cause === 'made-again') this.#madeAgain(batch.topic);
        for (const record of batch.records) this.#take(record);
        this.#taken.set(partitionId(batch), batch.next);
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

  #madeAgain(topic: string): void {
    const role = this.#roles.get(topic);
    if (role !== undefined) this.#options.onMadeAgain?.(role);
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
    const { isOfInterest = () => true } = this.#options;
    if (record.value !== null && !isOfInterest(role, record.value)) return;
    const parsed = record.value === null ? undefined : parseMessage(role, record.value);
    if (parsed?.ok === true)
      take?.({ message: parsed.message, ref: recordRef(record), at: record.timestamp });
    else this.#options.onUnreadable?.(role, record);
  }

  async #reach(ends: readonly Position[], limit: Millis | undefined): Promise<boolean> {
    const deadline = performance.now() + (limit ?? 0);
    const isTaken = (end: Position): boolean => (this.#taken.get(partitionId(end)) ?? -1n) >= end.offset;
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

function position({ topic, topicId, partition }: Range, offset: bigint): Position {
  return { topic, topicId, partition, offset };
}

/** A topic that is made again under its name has another id, so other partitions. */
function partitionId({ topicId, partition }: Pick<Position, 'topicId' | 'partition'>): string {
  return `${topicId}/${partition}`;
}

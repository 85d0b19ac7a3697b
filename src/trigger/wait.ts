import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { Kafka, KafkaRecord, Reader, TopicPartitionOffset } from '../kafka/port.ts';
import { parseFinish, parseStart } from '../messages/index.ts';
import { recordOfEntry, stateEntry } from '../state/reader.ts';
import {
  type FollowChange,
  type FollowedRun,
  Follower,
  type OpenRun,
  type Pending,
  type Standing,
} from './follow.ts';

/** Why nothing happens. */
export type Explanation =
  { type: 'no-hippo-runs'; down: string[] } | { type: 'waits-for-inputs'; run: OpenRun };

/** Brokers may be restarting: for so long their absence is borne, milliseconds. */
const PATIENCE = 60_000;
/** How long reading may lag behind the ends that were just seen before a look counts for nothing. Milliseconds. */
const CATCH_UP = 5_000;

/** What can be said at one moment. */
export interface Look {
  /** The hippos whose clients are up. */
  live: string[];
  /** Those of them that have read all that is followed. */
  readers: string[];
  /** The hippos with these topics of which no client is up. */
  down: string[];
  runs: FollowedRun[];
  pending: Pending;
  /** How each published event stands, by its {@link recordId}. */
  standings: Map<string, Standing>;
  /** Whether everything has been read that could change the answer. */
  complete: boolean;
}

export interface WatchOptions {
  kafka: Kafka;
  config: Config;
  clock: Clock;
  /** Told of every run that starts or ends because of what is followed. */
  onChange: (change: FollowChange) => void;
  /** From when start and finish messages matter, epoch milliseconds; left out: from now on. */
  since?: Millis | undefined;
}

/**
 * Watches what events cause. Opened *before* they are published, so that nothing is missed; reads without a consumer
 * group, so nothing is left behind.
 */
export class Watch {
  readonly #follower = new Follower();
  readonly #kafka: Kafka;
  readonly #config: Config;
  readonly #topics: string[];
  readonly #reader: Reader;
  /** Up to where records have been taken in, by `topic/partition`. */
  readonly #taken: Map<string, bigint>;
  readonly #clock: Clock;
  readonly #pump: Promise<void>;
  /** Something was read since the last rest. */
  #news = false;
  #ring: () => void = () => undefined;
  readonly #onChange: (change: FollowChange) => void;
  #failure: unknown;

  private constructor(
    { kafka, config, clock, onChange }: WatchOptions,
    topics: string[],
    reader: Reader,
    from: readonly TopicPartitionOffset[],
  ) {
    this.#kafka = kafka;
    this.#config = config;
    this.#topics = topics;
    this.#reader = reader;
    this.#taken = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    this.#clock = clock;
    this.#onChange = onChange;
    this.#pump = this.#read();
  }

  static async open(options: WatchOptions): Promise<Watch> {
    const { kafka, config, since } = options;
    const state = topicName(config, 'state');
    const wanted = [topicName(config, 'start'), topicName(config, 'finish'), state];
    const existing = new Set((await kafka.topics()).map(({ topic }) => topic));
    const topics = wanted.filter((topic) => existing.has(topic));
    const perTopic = await Promise.all(
      topics.map(async (topic) => {
        if (topic !== state && since !== undefined) {
          return (await kafka.offsetsAt(topic, since)).map((position) => ({ topic, ...position }));
        }
        // What hippos remember is all in the state topic.
        return (await kafka.offsets(topic)).map(({ partition, low, high }) => ({
          topic,
          partition,
          offset: topic === state ? low : high,
        }));
      }),
    );
    const from = perTopic.flat();
    const reader = await kafka.reader({ from, patience: PATIENCE });
    return new Watch(options, topics, reader, from);
  }

  /** Follows events that have been published. */
  follow(refs: readonly RecordRef[]): void {
    for (const ref of refs) this.#tell(this.#follower.follow(ref, this.#clock.now()));
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#pump;
  }

  async #read(): Promise<void> {
    try {
      for await (const { topic, partition, records, next } of this.#reader) {
        for (const record of records) this.#take(record);
        this.#taken.set(`${topic}/${partition}`, next);
        this.wake();
      }
    } catch (error) {
      this.#failure = error;
      this.wake();
    }
  }

  #take(record: KafkaRecord): void {
    const { topic, value } = record;
    const now = this.#clock.now();
    if (topic === topicName(this.#config, 'state')) {
      const entry = stateEntry(record);
      // All else would be decoded for nothing.
      if (entry?.key.kind === 'run' || entry?.key.kind === 'offsets')
        this.#follower.stateChanged(entry.key, recordOfEntry(entry));
    } else if (value === null) {
      return;
    } else if (topic === topicName(this.#config, 'start')) {
      const start = parseStart(value);
      if (start.ok) this.#tell(this.#follower.started(start.message, now));
    } else {
      const finish = parseFinish(value);
      if (finish.ok) this.#tell(this.#follower.finished(finish.message, recordRef(record), now));
    }
  }

  #tell(changes: readonly FollowChange[]): void {
    for (const change of changes) this.#onChange(change);
  }

  /**
   * What has become of the events by now. The order matters: positions first, then the ends, then reading up to them; see
   * {@link Follower.pending}.
   */
  async look(): Promise<Look> {
    const hippos = await knownHippos(this.#kafka, this.#config);
    const running = hippos.filter(({ info }) => info.members.length > 0);
    await Promise.all(
      running.map(async ({ hippo, info }) => {
        const inputs = [topicName(this.#config, 'frontier'), topicName(this.#config, 'finish')];
        for (const position of await this.#kafka.committed(info.group, inputs))
          this.#follower.position(hippo, position);
      }),
    );
    const positions = this.#follower.positions();
    const ends = await Promise.all(
      this.#topics.map(async (topic) =>
        (await this.#kafka.offsets(topic)).map(({ partition, stable }) => ({
          topic,
          partition,
          offset: stable,
        })),
      ),
    );
    const complete = await this.#caughtUp(ends.flat());
    const live = running.map(({ hippo }) => hippo);
    const now = this.#clock.now();
    return {
      live,
      readers: this.#follower.readers(live, positions),
      down: [...new Set([...hippos.map(({ hippo }) => hippo), ...positions.keys()])]
        .filter((hippo) => !live.includes(hippo))
        .sort(),
      complete,
      runs: this.#follower.runs(),
      pending: this.#follower.pending(live, positions, now),
      standings: this.#follower.standings(live, positions, now),
    };
  }

  async #caughtUp(ends: readonly TopicPartitionOffset[]): Promise<boolean> {
    const deadline = this.#clock.now() + CATCH_UP;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure as Error;
      const isTaken = ({ topic, partition, offset }: TopicPartitionOffset): boolean =>
        (this.#taken.get(`${topic}/${partition}`) ?? offset) >= offset;
      if (ends.every(isTaken)) return true;
      if (this.#clock.now() >= deadline) return false;
      await this.rest(20);
    }
  }

  wake(): void {
    this.#news = true;
    this.#ring();
  }

  /** Until something was read, {@link wake} was called, or for so many milliseconds. */
  async rest(millis: Millis): Promise<void> {
    if (!this.#news) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, millis);
        this.#ring = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    this.#news = false;
  }
}

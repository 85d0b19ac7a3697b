import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { Kafka, KafkaRecord, ReadPosition, Reader, RecordPlace } from '../kafka/port.ts';
import { parseFinish, parseStart } from '../messages/index.ts';
import { jsonValue } from '../tail/json-value.ts';
import { type FollowChange, type FollowedRun, Follower, type OpenRun, type Pending } from './follow.ts';

export type WaitOutcome = 'succeeded' | 'failed' | 'nobody-reacted' | 'timed-out' | 'interrupted';

export interface WaitReport {
  outcome: WaitOutcome;
  runs: FollowedRun[];
  /** What had not ended when waiting was over. */
  pending: Pending;
  /** The hippos that were live. */
  live: string[];
}

export interface WaitOptions {
  /** Milliseconds from the publish. */
  timeout: Millis;
  signal: AbortSignal;
  onChange(change: FollowChange): void;
  /** Told once each: why nothing happens. */
  onExplanation(explanation: Explanation): void;
}

export type Explanation = { type: 'no-hippo-runs' } | { type: 'waits-for-inputs'; run: OpenRun };

/** A hippo whose client is up has a consumer group with members, called by this prefix and its name. */
const GROUP_PREFIX = 'hippo.';
/** Between two looks at groups and offsets, milliseconds. */
const LOOK = 300;
/**
 * Milliseconds. A hippo may be about to start: it is not said before `withHippos` or `withoutHippos` that nobody reacted;
 * brokers may be restarting: for `withBrokers` their absence is borne.
 */
const PATIENCE = { withHippos: 5_000, withoutHippos: 60_000, withBrokers: 60_000 } as const;
/** How long reading may lag behind the ends that were just seen before a look counts for nothing. Milliseconds. */
const CATCH_UP = 5_000;

interface Look {
  live: string[];
  pending: Pending;
  /** Whether everything has been read that could change the answer. */
  complete: boolean;
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
  #wake: () => void = () => undefined;
  #onChange: (change: FollowChange) => void = () => undefined;
  #failure: unknown;

  private constructor(
    kafka: Kafka,
    config: Config,
    topics: string[],
    reader: Reader,
    from: readonly ReadPosition[],
    clock: Clock,
  ) {
    this.#kafka = kafka;
    this.#config = config;
    this.#topics = topics;
    this.#reader = reader;
    this.#taken = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    this.#clock = clock;
    this.#pump = this.#read();
  }

  static async open(kafka: Kafka, config: Config, clock: Clock): Promise<Watch> {
    const state = topicName(config, 'state');
    const wanted = [topicName(config, 'start'), topicName(config, 'finish'), state];
    const existing = new Set((await kafka.topics()).map(({ topic }) => topic));
    const topics = wanted.filter((topic) => existing.has(topic));
    const perTopic = await Promise.all(
      topics.map(async (topic) =>
        (await kafka.offsets(topic)).map(({ partition, low, high }) => ({
          topic,
          partition,
          // What hippos remember is all in the state topic; start and finish messages matter from now on.
          offset: topic === state ? low : high,
        })),
      ),
    );
    const from = perTopic.flat();
    return new Watch(
      kafka,
      config,
      topics,
      await kafka.reader({ from, patience: PATIENCE.withBrokers }),
      from,
      clock,
    );
  }

  /** Follows messages that have been published. */
  follow(places: readonly RecordPlace[]): void {
    for (const { topic, partition, offset } of places) {
      this.#tell(this.#follower.follow({ topic, partition, offset: String(offset) }, this.#clock.now()));
    }
  }

  /** Waits until every run that was caused has ended. */
  async wait(options: WaitOptions): Promise<WaitReport> {
    const wake = (): void => this.#note();
    options.signal.addEventListener('abort', wake);
    try {
      return await this.#until(options);
    } finally {
      options.signal.removeEventListener('abort', wake);
    }
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#pump;
  }

  async #until(options: WaitOptions): Promise<WaitReport> {
    const { timeout, signal } = options;
    const begun = this.#clock.now();
    this.#onChange = (change) => options.onChange(change);
    for (const run of this.#follower.runs()) {
      options.onChange({ type: run.outcome === 'running' ? 'started' : 'finished', run });
    }
    const explained = new Set<string>();
    const explain = (explanation: Explanation): void => {
      const id = JSON.stringify(explanation);
      if (!explained.has(id)) options.onExplanation(explanation);
      explained.add(id);
    };
    for (;;) {
      const look = await this.#look();
      const runs = this.#follower.runs();
      const waited = this.#clock.now() - begun;
      const outcome = signal.aborted ? 'interrupted' : decide(look, runs, waited, timeout);
      if (outcome !== null) return { outcome, runs, pending: look.pending, live: look.live };
      if (look.live.length === 0) explain({ type: 'no-hippo-runs' });
      for (const run of look.pending.open)
        if (run.status === 'waiting') explain({ type: 'waits-for-inputs', run });
      await this.#rest(Math.min(LOOK, Math.max(0, timeout - waited)));
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const { topic, partition, records, next } of this.#reader) {
        for (const record of records) this.#take(record);
        this.#taken.set(`${topic}/${partition}`, next);
        this.#note();
      }
    } catch (error) {
      this.#failure = error;
      this.#note();
    }
  }

  #take(record: KafkaRecord): void {
    const { topic, partition, offset, key, value } = record;
    const now = this.#clock.now();
    if (topic === topicName(this.#config, 'state')) {
      if (key !== null) this.#follower.stateRecord(key.toString(), jsonValue(value));
    } else if (value === null) {
      return;
    } else if (topic === topicName(this.#config, 'start')) {
      const start = parseStart(value);
      if (start.ok) this.#tell(this.#follower.started(start.message, now));
    } else {
      const finish = parseFinish(value);
      if (finish.ok)
        this.#tell(
          this.#follower.finished(finish.message, { topic, partition, offset: String(offset) }, now),
        );
    }
  }

  #tell(changes: readonly FollowChange[]): void {
    for (const change of changes) this.#onChange(change);
  }

  /** The order matters: positions first, then the ends, then reading up to them. See {@link Follower.pending}. */
  async #look(): Promise<Look> {
    const groups = (await this.#kafka.groups(GROUP_PREFIX)).filter(({ members }) => members.length > 0);
    await Promise.all(
      groups.map(async ({ group }) => {
        const inputs = [topicName(this.#config, 'frontier'), topicName(this.#config, 'finish')];
        for (const { topic, partition, offset } of await this.#kafka.committed(group, inputs)) {
          this.#follower.position(group.slice(GROUP_PREFIX.length), topic, partition, offset);
        }
      }),
    );
    const positions = this.#follower.positions();
    const ends = await Promise.all(
      this.#topics.map(async (topic) =>
        (await this.#kafka.offsets(topic)).map(({ partition, high }) => ({ topic, partition, offset: high })),
      ),
    );
    const complete = await this.#caughtUp(ends.flat());
    const live = groups.map(({ group }) => group.slice(GROUP_PREFIX.length));
    return { live, complete, pending: this.#follower.pending(live, positions, this.#clock.now()) };
  }

  async #caughtUp(ends: readonly ReadPosition[]): Promise<boolean> {
    const deadline = this.#clock.now() + CATCH_UP;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure as Error;
      const isTaken = ({ topic, partition, offset }: ReadPosition): boolean =>
        (this.#taken.get(`${topic}/${partition}`) ?? offset) >= offset;
      if (ends.every(isTaken)) return true;
      if (this.#clock.now() >= deadline) return false;
      await this.#rest(20);
    }
  }

  #note(): void {
    this.#news = true;
    this.#wake();
  }

  /** Until something was read, or for so many milliseconds. */
  async #rest(millis: number): Promise<void> {
    if (!this.#news) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, millis);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    this.#news = false;
  }
}

/** null: go on waiting. */
function decide(
  look: Look,
  runs: readonly FollowedRun[],
  waited: Millis,
  timeout: Millis,
): WaitOutcome | null {
  const { live, pending, complete } = look;
  const quiet = complete && pending.undecided.length + pending.open.length + pending.running.length === 0;
  if (quiet && runs.length > 0)
    return runs.every(({ outcome }) => outcome === 'succeeded') ? 'succeeded' : 'failed';
  const patience = live.length > 0 ? PATIENCE.withHippos : PATIENCE.withoutHippos;
  if (quiet && waited >= Math.min(patience, timeout)) return 'nobody-reacted';
  return waited >= timeout ? 'timed-out' : null;
}

import type { Config } from '../config/schema.ts';
import { topicName } from '../config/topics.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { RecordRef } from '../core/record-ref.ts';
import { type KnownHippo, knownHippos } from '../kafka/groups.ts';
import { HoldUps } from '../kafka/hold-ups.ts';
import { type HidingTransaction, hidingTransaction } from '../core/open-transaction.ts';
import type { Kafka } from '../kafka/port.ts';
import { PRODUCED_BY } from '../messages/index.ts';
import { Feed } from '../observe/index.ts';
import { type StateEntry, inputsOfSucceeded, recordOfEntry } from '../state/reader.ts';
import {
  type FollowChange,
  type FollowedRun,
  Follower,
  type FoundPause,
  type OpenRun,
  type Pending,
  type Standing,
} from './follow.ts';

/** Why nothing happens. */
export type IdleReason =
  | { type: 'no-hippo-runs'; down: string[] }
  | { type: 'waits-for-inputs'; run: OpenRun }
  | { type: 'job-paused'; run: OpenRun & { paused: FoundPause } }
  | { type: 'hidden'; by: HidingTransaction };

/** How long reading may lag behind the ends that were just seen before a look counts for nothing. Milliseconds. */
const CATCH_UP = 5_000;
/** Looks for open transactions: how often, and how long one must have stayed. Milliseconds. */
const HOLD_UPS = { every: 2_000, patience: 3_000 };

/** The kinds of state records that {@link Follower.stateChanged} uses. */
const FOLLOWED_KINDS: ReadonlySet<StateEntry['key']['kind']> = new Set([
  'run',
  'run-input',
  'offsets',
  'paused',
]);

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
  /** The open transactions that hide the events or what comes of them. */
  hidden: HidingTransaction[];
  /** Whether everything has been read that could change the answer. */
  complete: boolean;
}

export interface WatchOptions {
  kafka: Kafka;
  config: Config;
  clock: Clock;
  /** Told of every run that starts or ends because of what is followed. */
  onChange: (change: FollowChange) => void;
  /** From when messages matter, epoch milliseconds; left out: from now on. */
  since?: Millis | undefined;
}

/**
 * Watches what events cause. Opened *before* they are published, so that nothing is missed; reads without a consumer
 * group, so nothing is left behind.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #follower = new Follower();
  readonly #feed: Feed;
  readonly #holdUps: HoldUps;
  #nextHoldUps = 0;
  /** Something was read since the last rest. */
  #news = false;
  #ring: () => void = () => undefined;

  private constructor(options: WatchOptions) {
    const { kafka, config, clock, since = null } = options;
    this.#options = options;
    this.#holdUps = new HoldUps(kafka, HOLD_UPS.patience);
    this.#feed = new Feed({
      kafka,
      config,
      since,
      take: {
        start: ({ message }) => this.#tell(this.#follower.started(message, clock.now())),
        finish: ({ message, ref }) => this.#tell(this.#follower.finished(message, ref, clock.now())),
        frontier: ({ message, ref }) => this.#tell(this.#follower.produced(message, ref, clock.now())),
        state: (entry) => this.#takeState(entry),
      },
      // A topic may get millions of events a day, and most of them name no firing: they are not decoded.
      isOfInterest: (role, value) => role !== 'frontier' || value.includes(PRODUCED_BY),
      onRead: () => this.wake(),
    });
  }

  static async open(options: WatchOptions): Promise<Watch> {
    const watch = new Watch(options);
    await watch.#feed.start();
    return watch;
  }

  /** Follows events that have been published. */
  follow(refs: readonly RecordRef[]): void {
    for (const ref of refs) this.#tell(this.#follower.follow(ref, this.#options.clock.now()));
  }

  close(): Promise<void> {
    return this.#feed.close();
  }

  #takeState(entry: StateEntry): void {
    const { key } = entry;
    // Other records are not needed, so they are not decoded.
    if (!FOLLOWED_KINDS.has(key.kind)) return;
    const record = inputsOfSucceeded(entry) === undefined ? recordOfEntry(entry) : undefined;
    this.#tell(this.#follower.stateChanged(key, record, this.#options.clock.now()));
  }

  #tell(changes: readonly FollowChange[]): void {
    for (const change of changes) this.#options.onChange(change);
  }

  /**
   * What has become of the events by now. Three steps, and their order is what makes the answer right:
   *
   * 1. the positions of the live hippos, as their groups have committed them and as their state, as far as it is known, has them;
   * 2. the present ends of the topics start, finish, state and frontier;
   * 3. reading up to these ends.
   *
   * A client writes a position together with, or after, the records of all that it has decided about the messages before that
   * position. So what was decided about a message before a position of step 1 stands before the ends of step 2, and step 3 has
   * read it: a message that was read and has no run will have none. Were positions asked for last, one could be beyond a
   * message whose run is written beyond the ends, and the event would seem to have ended without a run.
   * {@link Follower.pending} relies on this.
   *
   * The frontier topic belongs to it, because a run may publish events of its outputs, in the transaction of its finish message.
   * Were its end not among those of step 2, a look could know that the run has ended and not know the events that others are to
   * react to: all hippos would have read all that is followed, and the chain would seem to be over. A broker may even show a
   * transaction in one partition before it does in another; so a finish message lists its events, and while one of them has
   * not been read a look is not complete.
   */
  async look(): Promise<Look> {
    const hippos = await knownHippos(this.#options.kafka, this.#options.config);
    const running = hippos.filter(({ info }) => info.members.length > 0);
    await this.#takePositions(running);
    const positions = this.#follower.positions();
    const complete = (await this.#feed.catchUp(CATCH_UP)) && !this.#follower.awaitsEvents;
    this.#lookForHoldUps();
    const live = running.map(({ hippo }) => hippo);
    const now = this.#options.clock.now();
    return {
      live,
      readers: this.#follower.readers(live, positions),
      down: [...new Set([...hippos.map(({ hippo }) => hippo), ...positions.keys()])]
        .filter((hippo) => !live.includes(hippo))
        .sort(),
      hidden: this.#holdUps.open.map((open) => hidingTransaction(open, this.#options.kafka.brokers)),
      complete,
      runs: this.#follower.runs(),
      pending: this.#follower.pending(live, positions, now),
      standings: this.#follower.standings(live, positions, now),
    };
  }

  /** Beside the look, which must not wait for it. */
  #lookForHoldUps(): void {
    const now = performance.now();
    if (now < this.#nextHoldUps) return;
    this.#nextHoldUps = now + HOLD_UPS.every;
    const { config } = this.#options;
    const frontier = topicName(config, 'frontier');
    const others = (['start', 'finish', 'state'] as const).map((role) => topicName(config, role));
    void this.#holdUps.look(
      [frontier, ...others],
      (held) =>
        held.topic !== frontier ||
        this.#follower.awaitsEvents ||
        this.#follower.isFollowedFrom(held, held.stable),
    );
  }

  async #takePositions(hippos: readonly KnownHippo[]): Promise<void> {
    const { kafka, config } = this.#options;
    const inputs = [topicName(config, 'frontier'), topicName(config, 'finish')];
    await Promise.all(
      hippos.map(async ({ hippo, info }) => {
        for (const position of await kafka.committed(info.group, inputs))
          this.#follower.position(hippo, position);
      }),
    );
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

import { groupName, identityOf } from '../config/groups.ts';
import type { Config, TopicRole } from '../config/schema.ts';
import { topicName } from '../config/topics.ts';
import type { Millis } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { type KnownHippo, knownHippos } from '../kafka/groups.ts';
import type { Kafka, TopicPartitionOffset } from '../kafka/port.ts';
import { type Positions, nextOffset, withPosition } from '../state/index.ts';
import { Feed } from './feed.ts';
import { Memory } from './memory.ts';
import type { Snapshot } from './snapshot.ts';

interface ObserverOptions {
  kafka: Kafka;
  config: Config;
  /** How far back events, starts, finishes, requests and health are read, epoch milliseconds. */
  since: Millis;
}

interface LookOptions {
  now: Millis;
  /** The horizon, epoch milliseconds: older messages are dropped for good, so it only moves forward. */
  since: Millis;
}

/** The consumer group of a hippo's clients. */
interface Group extends KnownHippo {
  committed: readonly TopicPartitionOffset[];
}

/** Without one of these there is nothing to observe. */
const ESSENTIAL = ['frontier', 'start', 'finish', 'state'] as const satisfies TopicRole[];

/**
 * Keeps what the topics of all roles say: the messages from a horizon on, the state whole. The first look costs what the
 * topics hold; a later one only what was written since. No consumer group is made, and nothing is left behind.
 */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #memory = new Memory();
  readonly #feed: Feed;

  private constructor(options: ObserverOptions) {
    this.#options = options;
    this.#feed = new Feed({
      ...options,
      take: this.#memory.take,
      onUnreadable: (role, record) => this.#memory.takeUnreadable(role, record),
      onMadeAgain: (role) => this.#memory.forget(role),
    });
  }

  /** @throws ServiceError when Kafka is not there */
  static async open(options: ObserverOptions): Promise<Observer> {
    const observer = new Observer(options);
    await observer.#feed.start();
    return observer;
  }

  /**
   * What topics, groups and state say now. The offsets that the groups have committed are asked for before the topics are read
   * to their ends: so a hippo that has read an event has its state of that event in this snapshot, too.
   *
   * @throws UserError where none of the topics exists, ServiceError when Kafka is not there
   */
  async look({ now, since }: LookOptions): Promise<Snapshot> {
    const groups = await this.#groups();
    await this.#feed.catchUp();
    this.#requireTopics();
    const { positions, ...known } = this.#memory.look(since);
    const frontier = topicName(this.#options.config, 'frontier');
    return {
      now,
      since,
      ...known,
      groups: [...groups, ...this.#withoutGroup(positions, groups)].map(({ hippo, info, committed }) => ({
        hippo,
        info,
        read: further(committed, positions.get(hippo), frontier),
      })),
    };
  }

  close(): Promise<void> {
    return this.#feed.close();
  }

  async #groups(): Promise<Group[]> {
    const { kafka, config } = this.#options;
    const hippos = await knownHippos(kafka, config);
    return Promise.all(
      hippos.map(async ({ hippo, info }) => ({
        hippo,
        info,
        committed: await kafka.committed(info.group, [topicName(config, 'frontier')]),
      })),
    );
  }

  /** The brokers forget a group that has been without members for long (offsets.retention.minutes). */
  #withoutGroup(known: ReadonlyMap<string, Positions>, groups: readonly Group[]): Group[] {
    const present = new Set(groups.map(({ hippo }) => hippo));
    return [...known.keys()]
      .filter((hippo) => !present.has(hippo))
      .map((hippo) => ({
        hippo,
        info: { group: groupName(identityOf(this.#options.config, hippo)), state: 'Dead', members: [] },
        committed: [],
      }));
  }

  /** Where none of them is there, that nothing is stuck would be no comfort. */
  #requireTopics(): void {
    if (ESSENTIAL.some((role) => this.#feed.exists(role))) return;
    const names = ESSENTIAL.map((role) => topicName(this.#options.config, role));
    throw new UserError('none of the hippo topics exists here', {
      why: `Looked for ${names.join(', ')} (topics in hippo.yaml).`,
      next: ['hippo up', 'hippo config topics'],
    });
  }
}

/** One look. */
export async function observe(kafka: Kafka, config: Config, options: LookOptions): Promise<Snapshot> {
  const observer = await Observer.open({ kafka, config, since: options.since });
  try {
    return await observer.look(options);
  } finally {
    await observer.close();
  }
}

/** A group's committed offsets wait for its unfinished runs; its state tells what has been read. */
function further(
  committed: readonly TopicPartitionOffset[],
  known: Positions | undefined,
  topic: string,
): Positions {
  const ofTopic = known?.get(topic);
  const next: Positions = new Map(ofTopic === undefined ? [] : [[topic, ofTopic]]);
  return committed.reduce(
    (read, position) =>
      position.offset > (nextOffset(read, position) ?? -1n) ? withPosition(read, position) : read,
    next,
  );
}

/** What the hippo's state says of its services, for every client: the owner writes it, standbys follow it. */
import type { Kafka, Reader, TopicPartitionOffset, Trouble } from '../../../kafka/port.ts';
import { type Pause, type ServiceState, keyFilter } from '../../../state/index.ts';
import { recordOfEntry, stateEntry } from '../../../state/reader.ts';
import type { Desired } from './service.ts';

/** By name: pauses, and what else the state has of services. */
interface KnownServices {
  pauses: { get(name: string): Pause | undefined };
  services: { get(name: string): ServiceState | undefined };
}

export function desiredOf({ pauses, services }: KnownServices, name: string): Desired {
  const pause = pauses.get(name);
  return { ...(pause === undefined ? {} : { pause }), state: services.get(name) ?? {} };
}

export interface FollowOptions {
  kafka: Pick<Kafka, 'offsets' | 'reader' | 'topics'>;
  /** The state topic. */
  topic: string;
  hippo: string;
  services: readonly string[];
  /** First called when the topic has been read to the end that it has now; then with each change. */
  onChange: (service: string, desired: Desired) => void;
  /** What of the topic cannot be read for now, and when it can be again. */
  onTrouble: (trouble: Trouble) => void;
}

/** Follows the state topic until it is closed. */
export class DesiredStates {
  readonly #options: FollowOptions;
  readonly #pauses = new Map<string, Pause>();
  readonly #services = new Map<string, ServiceState>();
  /** By partition: where the topic ended when this began. */
  #ends = new Map<number, bigint>();
  #reader: Reader | null = null;
  #isCurrent = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the topic cannot be followed any more, or is not to be.
   *
   * @throws DeniedError and other errors of reading
   */
  async follow(): Promise<void> {
    const { kafka, topic } = this.#options;
    const ranges = await kafka.offsets(topic, (trouble) => this.#options.onTrouble(trouble));
    this.#ends = new Map(
      ranges.filter(({ low, stable }) => low < stable).map(({ partition, stable }) => [partition, stable]),
    );
    const [info] = await kafka.topics([topic]);
    const from = ranges.map(({ partition, low }): TopicPartitionOffset => ({
      topic,
      topicId: info?.topicId,
      partition,
      offset: low,
    }));
    this.#reader = await kafka.reader({
      from,
      awaitTopics: true,
      onTrouble: (trouble) => this.#troubled(trouble),
    });
    this.#tellWhenCurrent();
    const isOwn = keyFilter(this.#options.hippo);
    for await (const { partition, records, next } of this.#reader) {
      const changed = new Set<string>();
      for (const record of records) {
        const entry = isOwn(record.key) ? stateEntry(record) : undefined;
        if (entry === undefined) continue;
        const { key } = entry;
        const name = key.kind === 'service' ? key.service : key.kind === 'paused' ? key.job : undefined;
        if (name === undefined || !this.#options.services.includes(name)) continue;
        const known = recordOfEntry(entry);
        if (key.kind === 'paused')
          setOrDelete(this.#pauses, name, known?.kind === 'paused' ? known.pause : undefined);
        else setOrDelete(this.#services, name, known?.kind === 'service' ? known.state : undefined);
        changed.add(name);
      }
      if (next >= (this.#ends.get(partition) ?? next)) this.#ends.delete(partition);
      if (this.#isCurrent) for (const name of changed) this.#tell(name);
      else this.#tellWhenCurrent();
    }
  }

  async close(): Promise<void> {
    await this.#reader?.close();
  }

  /** Another hippo's partition must not keep this one's services from starting. */
  #troubled(trouble: Trouble): void {
    this.#options.onTrouble(trouble);
    if (trouble.error === null) return;
    for (const { partition } of trouble.places) {
      if (partition === undefined) this.#ends.clear();
      else this.#ends.delete(partition);
    }
    this.#tellWhenCurrent();
  }

  #tellWhenCurrent(): void {
    if (this.#ends.size > 0 || this.#isCurrent) return;
    this.#isCurrent = true;
    for (const name of this.#options.services) this.#tell(name);
  }

  #tell(name: string): void {
    this.#options.onChange(name, desiredOf({ pauses: this.#pauses, services: this.#services }, name));
  }
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

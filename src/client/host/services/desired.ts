/** What the hippo's state says of its services, for every client: the owner writes it, standbys follow it. */
import type { Kafka, Reader, TopicPartitionOffset, Trouble } from '../../../kafka/port.ts';
import { type ModelState, type Pause, type ServiceState, keyFilter } from '../../../state/index.ts';
import { type StateEntry, recordOfEntry, stateEntry } from '../../../state/reader.ts';
import type { Desired } from './service.ts';

/** By name: pauses, and what else the state has of services and models. */
interface Known {
  pauses: { get(name: string): Pause | undefined };
  services: { get(name: string): ServiceState | undefined };
  models: { get(name: string): ModelState | undefined };
}

/** @param served the models that the service serves */
export function desiredOf(
  { pauses, services, models }: Known,
  name: string,
  served: readonly string[],
): Desired {
  const pause = pauses.get(name);
  const known = served.flatMap((model): [string, ModelState][] => {
    const state = models.get(model);
    return state === undefined ? [] : [[model, state]];
  });
  return {
    ...(pause === undefined ? {} : { pause }),
    state: services.get(name) ?? {},
    models: new Map(known),
  };
}

export interface FollowOptions {
  kafka: Pick<Kafka, 'offsets' | 'reader' | 'topics'>;
  /** The state topic. */
  topic: string;
  hippo: string;
  /** By service: the models that it serves. */
  services: ReadonlyMap<string, readonly string[]>;
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
  readonly #models = new Map<string, ModelState>();
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
        for (const name of this.#take(entry)) changed.add(name);
      }
      if (next >= (this.#ends.get(partition) ?? next)) this.#ends.delete(partition);
      if (this.#isCurrent) for (const name of changed) this.#tell(name);
      else this.#tellWhenCurrent();
    }
  }

  /** @returns the services that it is about */
  #take(entry: StateEntry): string[] {
    const { services } = this.#options;
    const { key } = entry;
    if (key.kind === 'model') {
      const of = [...services].filter(([, models]) => models.includes(key.model)).map(([name]) => name);
      const known = of.length === 0 ? undefined : recordOfEntry(entry);
      setOrDelete(this.#models, key.model, known?.kind === 'model' ? known.state : undefined);
      return of;
    }
    const name = key.kind === 'service' ? key.service : key.kind === 'paused' ? key.job : undefined;
    if (name === undefined || !services.has(name)) return [];
    const known = recordOfEntry(entry);
    if (key.kind === 'paused')
      setOrDelete(this.#pauses, name, known?.kind === 'paused' ? known.pause : undefined);
    else setOrDelete(this.#services, name, known?.kind === 'service' ? known.state : undefined);
    return [name];
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
    for (const name of this.#options.services.keys()) this.#tell(name);
  }

  #tell(name: string): void {
    const known = { pauses: this.#pauses, services: this.#services, models: this.#models };
    this.#options.onChange(name, desiredOf(known, name, this.#options.services.get(name) ?? []));
  }
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

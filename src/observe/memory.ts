/** What an observer keeps of what it has read. */
import type { TopicRole } from '../config/schema.ts';
import type { Millis } from '../core/clock.ts';
import type {
  FrontierEvent,
  JobFinish,
  JobStart,
  ManualRequest,
  MessageKind,
  ServiceHealth,
} from '../messages/index.ts';
import type { Found, Takers } from './feed.ts';
import type { Snapshot } from './snapshot.ts';
import { type KnownState, StateMemory } from './state-memory.ts';

/** What has a time, from a horizon on. What a look has returned never changes. */
class Timeline<Item extends { at: Millis }> {
  #kept: readonly Item[] = [];
  #fresh: Item[] = [];

  take(item: Item): void {
    this.#fresh.push(item);
  }

  /** Forgets what it is true of. */
  drop(is: (item: Item) => boolean): void {
    this.#kept = this.#kept.filter((item) => !is(item));
    this.#fresh = this.#fresh.filter((item) => !is(item));
  }

  /** Drops what is older than `since`. @returns the rest, by time */
  look(since: Millis): readonly Item[] {
    if (this.#fresh.length > 0 || (this.#kept[0]?.at ?? since) < since) {
      this.#kept = [...this.#kept, ...this.#fresh]
        .filter(({ at }) => at >= since)
        .sort((a, b) => a.at - b.at);
      this.#fresh = [];
    }
    return this.#kept;
  }
}

/** The last sign of life of each service. */
class HealthMemory {
  readonly #last = new Map<string, Found<ServiceHealth>>();

  take(sign: Found<ServiceHealth>): void {
    const known = this.#last.get(sign.message.serviceName);
    if (known === undefined || sign.at >= known.at) this.#last.set(sign.message.serviceName, sign);
  }

  /** Drops what is older than `since`. */
  look(since: Millis): ReadonlyMap<string, Found<ServiceHealth>> {
    for (const [service, { at }] of this.#last) if (at < since) this.#last.delete(service);
    return new Map(this.#last);
  }

  clear(): void {
    this.#last.clear();
  }
}

/** All that an observer has read. */
export class Memory {
  readonly #events = new Timeline<Found<FrontierEvent>>();
  readonly #starts = new Timeline<Found<JobStart>>();
  readonly #finishes = new Timeline<Found<JobFinish>>();
  readonly #requests = new Timeline<Found<ManualRequest>>();
  readonly #unreadable = new Timeline<{ at: Millis; role: MessageKind }>();
  readonly #health = new HealthMemory();
  readonly #state = new StateMemory();

  readonly take: Takers = {
    frontier: (event) => this.#events.take(event),
    start: (start) => this.#starts.take(start),
    finish: (finish) => this.#finishes.take(finish),
    schedule: (request) => this.#requests.take(request),
    health: (sign) => this.#health.take(sign),
    state: (entry) => this.#state.take(entry),
  };

  takeUnreadable(role: MessageKind, { timestamp }: { timestamp: Millis }): void {
    this.#unreadable.take({ at: timestamp, role });
  }

  /** Forgets what the topic of a role said. */
  forget(role: TopicRole): void {
    const all = (): boolean => true;
    const forget: Record<TopicRole, () => void> = {
      frontier: () => this.#events.drop(all),
      start: () => this.#starts.drop(all),
      finish: () => this.#finishes.drop(all),
      schedule: () => this.#requests.drop(all),
      health: () => this.#health.clear(),
      // Nothing of it is kept.
      alert: () => {},
      model: () => {},
      state: () => this.#state.clear(),
    };
    forget[role]();
    this.#unreadable.drop((found) => found.role === role);
  }

  /** Drops what is older than `since`, except of the state. */
  look(since: Millis): Omit<Snapshot, 'now' | 'since' | 'groups'> & KnownState {
    return {
      ...this.#state.look(),
      events: this.#events.look(since),
      starts: this.#starts.look(since),
      finishes: this.#finishes.look(since),
      requests: this.#requests.look(since),
      health: this.#health.look(since),
      unreadable: this.#unreadable.look(since).length,
    };
  }
}

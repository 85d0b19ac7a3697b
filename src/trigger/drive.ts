import { isAborted } from '../core/abort.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { HippoError } from '../core/errors.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import { RecordTooLargeError } from '../kafka/failures.ts';
import type { Producer, TopicPartitionOffset } from '../kafka/port.ts';
import { Following, LOOK, type WaitOutcome, type WaitReport } from './following.ts';
import type { Losses } from './losses.ts';
import { type EventProgress, timeLeft } from './progress.ts';
import type { PlannedEvent } from './publish.ts';
import type { Throttle } from './throttle.ts';
import type { IdleReason, Watch } from './wait.ts';
import { pause } from '../core/deadline.ts';

export interface DriveOptions {
  events: Iterable<PlannedEvent> | AsyncIterable<PlannedEvent>;
  /** How many there are. */
  total: number;
  /** What was published before, where this goes on with it. */
  before: readonly RecordRef[];
  throttle: Throttle;
  /** Counts the events whose partition cannot be written to. */
  losses: Losses;
  /** null: what is published is not followed. */
  watch: Watch | null;
  /** Whether the end of what was caused is waited for. */
  wait: boolean;
  /** How long an event's outcome may take, milliseconds from its publish. */
  timeout: Millis;
  clock: Clock;
  signal: AbortSignal;
}

export interface DriveListener {
  onPublished(event: PlannedEvent, ref: RecordRef): void;
  /** Called once for each reason why nothing happens. */
  onExplanation(explanation: IdleReason): void;
  onProgress(progress: EventProgress): void;
}

export interface DriveReport {
  progress: EventProgress;
  /** null: not waited for. */
  wait: WaitReport | null;
  /** It ended before everything was published. */
  stopped: 'interrupted' | 'timed-out' | null;
}

/** So many events are sent together if no limit holds them back. */
const TOGETHER = 500;
/**
 * Publishes events as fast as the throttle allows, and follows what they cause. Each is acknowledged by all in-sync replicas
 * before the next ones go out.
 */
export class Drive {
  readonly #producer: Pick<Producer, 'sendEach'>;
  readonly #options: DriveOptions;
  readonly #listener: DriveListener;
  readonly #events: Iterator<PlannedEvent> | AsyncIterator<PlannedEvent>;
  readonly #begun: Millis;
  /** null: what is published is not followed. */
  readonly #following: Following | null;
  /** By this drive. */
  #published = 0;
  #exhausted = false;
  /** Events whose partition is still being tried. */
  #late = 0;
  #lateSettled = Promise.resolve();
  #failure: { error: unknown } | undefined;
  /** Why the events of a key cannot be published: all of them go to one partition. */
  readonly #lostKeys = new Map<string, HippoError>();

  constructor(producer: Pick<Producer, 'sendEach'>, options: DriveOptions, listener: DriveListener) {
    this.#producer = producer;
    this.#options = options;
    this.#listener = listener;
    const { events, clock, before, watch } = options;
    this.#events = Symbol.iterator in events ? events[Symbol.iterator]() : events[Symbol.asyncIterator]();
    this.#begun = clock.now();
    this.#following = watch === null ? null : new Following(watch, options);
    this.#following?.follow(before);
  }

  /** @throws ServiceError when Kafka is not there, RecordTooLargeError at the number of an event that its topic does not take */
  async run(): Promise<DriveReport> {
    const { signal } = this.#options;
    const following = this.#following;
    const wake = (): void => following?.wake();
    signal.addEventListener('abort', wake);
    try {
      return following === null ? await this.#publishOnly() : await this.#publishAndFollow(following);
    } finally {
      signal.removeEventListener('abort', wake);
      await this.#events.return?.();
    }
  }

  async #publishOnly(): Promise<DriveReport> {
    const { throttle, clock, signal } = this.#options;
    while (await this.#publishSome(0)) {
      this.#listener.onProgress(this.#progress());
      // Ctrl-C ends the sleep.
      await pause(throttle.pause(clock.now()), signal);
    }
    await this.#settleLate();
    return this.#report(signal.aborted && !this.#exhausted ? 'interrupted' : null, null);
  }

  async #publishAndFollow(following: Following): Promise<DriveReport> {
    const { signal, wait } = this.#options;
    for (;;) {
      await this.#publishSome(following.active());
      const moreToCome = !this.#exhausted;
      this.#check();
      if (!moreToCome && (!wait || this.#hasNothing())) {
        await this.#settleLate();
        if (!wait || this.#hasNothing()) return this.#report(null, null);
      }
      await following.look();
      this.#listener.onProgress(this.#progress());
      if (moreToCome && (signal.aborted || following.isOverdue(moreToCome))) {
        const stopped = signal.aborted ? 'interrupted' : 'timed-out';
        return this.#report(stopped, stopped);
      }
      const outcome = signal.aborted
        ? 'interrupted'
        : moreToCome || this.#late > 0
          ? null
          : following.outcome();
      if (outcome !== null) return this.#report(null, outcome);
      for (const explanation of following.explanations(moreToCome)) this.#listener.onExplanation(explanation);
      await following.rest(moreToCome ? this.#untilNext(following) : LOOK);
    }
  }

  /** How long to rest while there is more to publish: until the throttle lets it go, and no longer than between two looks. */
  #untilNext(following: Following): Millis {
    const { throttle, clock } = this.#options;
    const now = clock.now();
    const isHeldByRate = throttle.allowance(now, following.active()) <= 0 && throttle.pause(now) > 0;
    return isHeldByRate ? Math.min(LOOK, throttle.pause(now)) : LOOK;
  }

  /** @returns whether there are more to come */
  async #publishSome(active: number): Promise<boolean> {
    const { throttle, clock, signal } = this.#options;
    let busy = active;
    while (!this.#exhausted && !signal.aborted) {
      const allowed = Math.min(TOGETHER, throttle.allowance(clock.now(), busy));
      if (allowed <= 0) return true;
      const events: PlannedEvent[] = [];
      while (events.length < allowed && !this.#exhausted) {
        const next = await this.#events.next();
        if (next.done === true) this.#exhausted = true;
        else if (!this.#isLost(next.value)) events.push(next.value);
      }
      if (events.length === 0) break;
      throttle.spend(events.length);
      await this.#send(events);
      busy += events.length;
    }
    return false;
  }

  async #send(events: readonly PlannedEvent[]): Promise<void> {
    const records = events.map(({ record }) => record);
    const sent = await this.#producer.sendEach(records).catch((error: unknown) => {
      throw error instanceof RecordTooLargeError ? error.at(events[error.index]?.n ?? 0) : error;
    });
    for (const [index, event] of events.entries()) {
      const one = sent[index];
      if (one instanceof Promise) this.#takeLate(event, one);
      else if (one !== undefined) this.#take(event, one);
    }
  }

  /** @param sent where the event is, or why it is nowhere */
  #take(event: PlannedEvent, sent: TopicPartitionOffset | HippoError): void {
    if (sent instanceof HippoError) {
      this.#lose(event, sent);
      return;
    }
    const ref = recordRef(sent);
    this.#published += 1;
    this.#listener.onPublished(event, ref);
    this.#following?.follow([ref]);
  }

  #takeLate(event: PlannedEvent, sent: Promise<TopicPartitionOffset | HippoError>): void {
    this.#late += 1;
    const taken = sent
      .then((one) => this.#take(event, one))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#late -= 1;
        this.#following?.wake();
      });
    this.#lateSettled = Promise.all([this.#lateSettled, taken]).then(() => undefined);
  }

  /** Waits for the events whose partition is still being tried; Ctrl-C ends this. */
  async #settleLate(): Promise<void> {
    const { signal } = this.#options;
    if (this.#late > 0 && !isAborted(signal)) {
      const aborted = Promise.withResolvers<undefined>();
      const abort = (): void => aborted.resolve(undefined);
      signal.addEventListener('abort', abort);
      await Promise.race([this.#lateSettled, aborted.promise]);
      signal.removeEventListener('abort', abort);
    }
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #hasNothing(): boolean {
    return this.#published + this.#options.before.length === 0;
  }

  #lose(event: PlannedEvent, error: HippoError): void {
    const { record, n, table, partition: partition_path } = event;
    const { topic = record.topic, partition = 0 } = error.place ?? {};
    if (record.key !== null) this.#lostKeys.set(String(record.key), error);
    this.#options.losses.add({ topic, partition }, 1, { n, table, partition_path }, error);
  }

  /** An event that cannot be published takes no time of the throttle. */
  #isLost(event: PlannedEvent): boolean {
    const { key } = event.record;
    const error = key === null ? undefined : this.#lostKeys.get(String(key));
    if (error !== undefined) this.#lose(event, error);
    return error !== undefined;
  }

  #progress(): EventProgress {
    const { total, before, clock } = this.#options;
    const published = before.length + this.#published;
    const remaining = total - published;
    const now = clock.now();
    const tally = this.#following?.tally() ?? null;
    if (tally === null) {
      const none = { done: 0, failed: 0, running: 0, waiting: 0 };
      const left = timeLeft(this.#published, remaining, now - this.#begun);
      return { kind: 'events', total, published, ...none, remaining, left };
    }
    const { done, failed, waiting, paced, lastDoneAt } = tally;
    const running = published - done - waiting;
    const left = timeLeft(paced, total - done, lastDoneAt - this.#begun, now - lastDoneAt);
    return { kind: 'events', total, published, done, failed, running, waiting, remaining, left };
  }

  #report(stopped: DriveReport['stopped'], outcome: WaitOutcome | null): DriveReport {
    const wait = outcome === null ? null : (this.#following?.report(outcome) ?? null);
    return { progress: this.#progress(), stopped, wait };
  }
}

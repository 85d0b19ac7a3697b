import type { Clock, Millis } from '../core/clock.ts';
import { BugError } from '../core/errors.ts';
import { type RecordRef, recordId, recordRef } from '../core/record-ref.ts';
import { RecordTooLargeError } from '../kafka/failures.ts';
import type { Producer } from '../kafka/port.ts';
import type { FollowedRun, Pending, Standing } from './follow.ts';
import { type EventProgress, timeLeft } from './progress.ts';
import type { PlannedEvent } from './publish.ts';
import { Throttle } from './throttle.ts';
import type { Explanation, Look, Watch } from './wait.ts';
import { pause } from '../core/deadline.ts';

export type WaitOutcome = 'succeeded' | 'failed' | 'no-reaction' | 'timed-out' | 'interrupted';

export interface WaitReport {
  outcome: WaitOutcome;
  runs: FollowedRun[];
  /** How many events have caused no run. */
  unanswered: number;
  /** What had not ended when waiting was over. */
  pending: Pending;
  /** The hippos that were live. */
  live: string[];
  /** Those of them that have read what was published. */
  readers: string[];
  /** The hippos with these topics of which no client was live. */
  down: string[];
}

export interface DriveOptions {
  events: Iterable<PlannedEvent> | AsyncIterable<PlannedEvent>;
  /** How many there are. */
  total: number;
  /** What was published before, where this goes on with it. */
  before: readonly RecordRef[];
  throttle: Throttle;
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
  /** Told once each: why nothing happens. */
  onExplanation(explanation: Explanation): void;
  onProgress(progress: EventProgress): void;
}

export interface DriveReport {
  progress: EventProgress;
  /** null: not waited for. */
  wait: WaitReport | null;
  /** It ended before everything was published. */
  stopped: 'interrupted' | 'timed-out' | null;
}

/** Events go out together where nothing holds them back. */
const TOGETHER = 500;
/** Between two looks at what has become of them, milliseconds. */
const LOOK = 300;
/** The wait for a first reaction, milliseconds: a hippo may be about to start. */
const PATIENCE = { withHippos: 5_000, withoutHippos: 60_000 } as const;

/**
 * Publishes events as fast as the throttle allows, and follows what they cause. Each is acknowledged by all in-sync replicas
 * before the next ones go out.
 */
export class Drive {
  readonly #producer: Pick<Producer, 'send'>;
  readonly #options: DriveOptions;
  readonly #listener: DriveListener;
  readonly #events: Iterator<PlannedEvent> | AsyncIterator<PlannedEvent>;
  readonly #begun: Millis;
  /** When each event was published that has not been seen to end: by {@link recordId}. */
  readonly #open = new Map<string, Millis>();
  readonly #explained = new Set<string>();
  /** By this drive. */
  #published = 0;
  #lastPublish: Millis;
  /** How many had ended at the first look: what came before this drive is not its pace. */
  #doneBefore: number | undefined;
  /** How many have ended, and when that was first seen. */
  #done = { count: 0, at: 0 };
  #exhausted = false;
  #look: Look | null = null;

  constructor(producer: Pick<Producer, 'send'>, options: DriveOptions, listener: DriveListener) {
    this.#producer = producer;
    this.#options = options;
    this.#listener = listener;
    const { events, clock, before, watch } = options;
    this.#events = Symbol.iterator in events ? events[Symbol.iterator]() : events[Symbol.asyncIterator]();
    this.#begun = this.#lastPublish = clock.now();
    watch?.follow(before);
    for (const ref of before) this.#open.set(recordId(ref), this.#begun);
  }

  /** @throws ServiceError when Kafka is not there, RecordTooLargeError at the number of an event that its topic does not take */
  async run(): Promise<DriveReport> {
    const { watch, signal } = this.#options;
    const wake = (): void => watch?.wake();
    signal.addEventListener('abort', wake);
    try {
      return watch === null ? await this.#publishOnly() : await this.#publishAndFollow(watch);
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
    return this.#report(signal.aborted && !this.#exhausted ? 'interrupted' : null, null);
  }

  async #publishAndFollow(watch: Watch): Promise<DriveReport> {
    const { throttle, clock, signal, wait } = this.#options;
    for (;;) {
      await this.#publishSome(this.#active());
      if (this.#exhausted && !wait) return this.#report(null, null);
      this.#take(await watch.look());
      this.#listener.onProgress(this.#progress());
      const overdue = this.#isOverdue();
      if (!this.#exhausted && (signal.aborted || overdue)) {
        const stopped = signal.aborted ? 'interrupted' : 'timed-out';
        return this.#report(stopped, stopped);
      }
      const outcome = signal.aborted ? 'interrupted' : this.#exhausted ? this.#decide(overdue) : null;
      if (outcome !== null) return this.#report(null, outcome);
      this.#explain();
      const pause = throttle.allowance(clock.now(), this.#active()) > 0 ? 0 : throttle.pause(clock.now());
      await watch.rest(this.#exhausted || pause === 0 ? LOOK : Math.min(LOOK, pause));
    }
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
        else events.push(next.value);
      }
      if (events.length === 0) break;
      throttle.spend(events.length);
      await this.#send(events);
      busy += events.length;
    }
    return false;
  }

  async #send(events: readonly PlannedEvent[]): Promise<void> {
    const { watch, clock } = this.#options;
    const sent = await this.#producer.send(events.map(({ record }) => record)).catch((error: unknown) => {
      throw error instanceof RecordTooLargeError ? error.at(events[error.index]?.n ?? 0) : error;
    });
    const refs = sent.map(recordRef);
    this.#published += events.length;
    this.#lastPublish = clock.now();
    for (const [index, event] of events.entries()) {
      const ref = refs[index];
      if (ref === undefined) continue;
      this.#listener.onPublished(event, ref);
      if (watch !== null) this.#open.set(recordId(ref), this.#lastPublish);
    }
    watch?.follow(refs);
  }

  #take(look: Look): void {
    // What has not all been read says nothing new.
    if (this.#look === null || look.complete) this.#look = look;
    if (!look.complete) return;
    for (const [event, { phase }] of look.standings) if (phase === 'ended') this.#open.delete(event);
    const done = count(look, ({ phase }) => phase === 'ended');
    this.#doneBefore ??= done;
    if (done !== this.#done.count) this.#done = { count: done, at: this.#options.clock.now() };
  }

  /** Events that a hippo has to do with: published, and not known to have ended or to wait for others. */
  #active(): number {
    const standings = this.#look?.standings;
    return [...this.#open.keys()].filter((event) => standings?.get(event)?.phase !== 'waiting').length;
  }

  /** Whether an event's outcome takes too long. One that waits for further inputs may get them from those still to come. */
  #isOverdue(): boolean {
    const { timeout, clock } = this.#options;
    const now = clock.now();
    return [...this.#open].some(([event, since]) => {
      const waits = this.#look?.standings.get(event)?.phase === 'waiting';
      return now - (waits ? this.#lastPublish : since) >= timeout && (this.#exhausted || !waits);
    });
  }

  /** null: go on waiting. */
  #decide(overdue: boolean): WaitOutcome | null {
    if (this.#look === null) return null;
    const { live, pending, complete, runs } = this.#look;
    const quiet = complete && pending.undecided.length + pending.open.length + pending.running.length === 0;
    if (quiet && runs.length > 0) {
      return runs.every(({ outcome }) => outcome === 'succeeded') ? 'succeeded' : 'failed';
    }
    const waited = this.#options.clock.now() - this.#lastPublish;
    const patience = live.length > 0 ? PATIENCE.withHippos : PATIENCE.withoutHippos;
    if (quiet && waited >= Math.min(patience, this.#options.timeout)) return 'no-reaction';
    return overdue ? 'timed-out' : null;
  }

  #explain(): void {
    const tell = (explanation: Explanation): void => {
      const id = JSON.stringify(explanation);
      if (!this.#explained.has(id)) this.#listener.onExplanation(explanation);
      this.#explained.add(id);
    };
    if (this.#look?.live.length === 0) tell({ type: 'no-hippo-runs', down: this.#look.down });
    for (const run of this.#look?.pending.open ?? []) {
      if (run.status === 'waiting' && this.#exhausted) tell({ type: 'waits-for-inputs', run });
    }
  }

  #progress(): EventProgress {
    const { total, before, clock, watch } = this.#options;
    const published = before.length + this.#published;
    const now = clock.now();
    if (watch === null || this.#look === null) {
      const rest = total - published;
      const none = { done: 0, failed: 0, running: 0, waiting: 0 };
      return {
        kind: 'events',
        total,
        published,
        ...none,
        remaining: rest,
        left: timeLeft(this.#published, rest, now - this.#begun),
      };
    }
    const { count: done, at } = this.#done;
    const pace = done - (this.#doneBefore ?? 0);
    const waiting = count(this.#look, ({ phase }) => phase === 'waiting');
    return {
      kind: 'events',
      total,
      published,
      done,
      failed: count(this.#look, ({ phase, failed }) => phase === 'ended' && failed),
      running: published - done - waiting,
      waiting,
      remaining: total - published,
      left: timeLeft(pace, total - done, at - this.#begun, now - at),
    };
  }

  #report(stopped: DriveReport['stopped'], outcome: WaitOutcome | null): DriveReport {
    return { progress: this.#progress(), stopped, wait: outcome === null ? null : this.#waitReport(outcome) };
  }

  #waitReport(outcome: WaitOutcome): WaitReport {
    if (this.#look === null) {
      const pending = { undecided: [], open: [], running: [] };
      return { outcome, runs: [], unanswered: 0, pending, live: [], readers: [], down: [] };
    }
    const { runs, pending, live, readers, down } = this.#look;
    const unanswered = count(this.#look, (standing) => standing.runs === 0);
    return { outcome, runs, unanswered, pending, live, readers, down };
  }
}

/** Follows what was published to the end of all that it causes. */
export async function followToEnd(
  watch: Watch,
  published: readonly RecordRef[],
  options: Pick<DriveOptions, 'timeout' | 'clock' | 'signal'>,
): Promise<WaitReport> {
  const nothing = {
    onPublished: () => undefined,
    onExplanation: () => undefined,
    onProgress: () => undefined,
  };
  const drive = new Drive(
    { send: () => Promise.resolve([]) },
    {
      ...options,
      events: [],
      total: published.length,
      before: published,
      throttle: new Throttle({}),
      watch,
      wait: true,
    },
    nothing,
  );
  const { wait } = await drive.run();
  if (wait === null) throw new BugError('a wait has no outcome');
  return wait;
}

function count({ standings }: Look, is: (standing: Standing) => boolean): number {
  let found = 0;
  for (const standing of standings.values()) if (is(standing)) found += 1;
  return found;
}

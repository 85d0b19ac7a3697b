import type { Clock, Millis } from '../core/clock.ts';
import { type RecordRef, recordId } from '../core/record-ref.ts';
import type { FollowedRun, Pending, Standing } from './follow.ts';
import type { HidingTransaction } from '../core/open-transaction.ts';
import type { IdleReason, Look, Watch } from './wait.ts';

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
  /** The open transactions that hid the events or what came of them. */
  hidden: HidingTransaction[];
}

/** How many of the events that are followed stand how. */
interface Tally {
  /** All that they caused has ended. */
  done: number;
  /** Of those: a run of theirs failed. */
  failed: number;
  /** Their runs wait for further inputs. */
  waiting: number;
  /** How many of `done` have ended since the first look: what ended before says nothing about the pace. */
  paced: number;
  /** When the last of them was seen to end, epoch milliseconds; 0: none was. */
  lastDoneAt: Millis;
}

interface FollowingOptions {
  /** How long an event's outcome may take, milliseconds from its publish. */
  timeout: Millis;
  clock: Clock;
}

type Watching = Pick<Watch, 'follow' | 'look' | 'rest' | 'wake'>;

/** Between two looks at what has become of the events, milliseconds. */
export const LOOK = 300;
/** The wait for a first reaction, milliseconds: a hippo may be about to start. */
const PATIENCE = { withHippos: 5_000, withoutHippos: 60_000 } as const;

/** Follows published events by looks, and decides when there is nothing more to wait for. */
export class Following {
  readonly #watch: Watching;
  readonly #options: FollowingOptions;
  /** When each event was published that has not been seen to end: by {@link recordId}. */
  readonly #open = new Map<string, Millis>();
  readonly #explained = new Set<string>();
  #lastPublish: Millis;
  /** How many had ended at the first look. */
  #doneBefore: number | undefined;
  /** How many have ended, and when that was first seen. */
  #done = { count: 0, at: 0 };
  #look: Look | null = null;

  constructor(watch: Watching, options: FollowingOptions) {
    this.#watch = watch;
    this.#options = options;
    this.#lastPublish = options.clock.now();
  }

  /** Follows these events, too, which were published just now. */
  follow(refs: readonly RecordRef[]): void {
    this.#lastPublish = this.#options.clock.now();
    for (const ref of refs) this.#open.set(recordId(ref), this.#lastPublish);
    this.#watch.follow(refs);
  }

  /** Looks at what has become of the events. All else here tells what the last look has seen. */
  async look(): Promise<void> {
    const look = await this.#watch.look();
    // What has not all been read says nothing new.
    if (this.#look === null || look.complete) this.#look = look;
    if (!look.complete) return;
    for (const [event, { phase }] of look.standings) if (phase === 'ended') this.#open.delete(event);
    const done = count(look, ({ phase }) => phase === 'ended');
    this.#doneBefore ??= done;
    if (done !== this.#done.count) this.#done = { count: done, at: this.#options.clock.now() };
  }

  /** Until something was read, {@link wake} was called, or for so many milliseconds. */
  rest(millis: Millis): Promise<void> {
    return this.#watch.rest(millis);
  }

  wake(): void {
    this.#watch.wake();
  }

  /** How many events a hippo has to do with: published, and not known to have ended or to wait for others. */
  active(): number {
    return [...this.#open.keys()].filter((event) => !this.#waits(event)).length;
  }

  /**
   * Whether an event's outcome takes too long.
   *
   * @param moreToCome whether events are still to be published: they may be what an event that waits for inputs waits for
   */
  isOverdue(moreToCome: boolean): boolean {
    const { timeout, clock } = this.#options;
    const now = clock.now();
    return [...this.#open].some(([event, since]) => {
      const waits = this.#waits(event);
      return now - (waits ? this.#lastPublish : since) >= timeout && !(moreToCome && waits);
    });
  }

  #waits(event: string): boolean {
    return this.#look?.standings.get(event)?.phase === 'waiting';
  }

  /** What has come of the events when all are published; null: go on waiting. */
  outcome(): WaitOutcome | null {
    if (this.#look === null) return null;
    const { live, pending, complete, runs } = this.#look;
    const quiet = complete && pending.undecided.length + pending.open.length + pending.running.length === 0;
    if (quiet && runs.length > 0) {
      return runs.every(({ outcome }) => outcome === 'succeeded') ? 'succeeded' : 'failed';
    }
    const waited = this.#options.clock.now() - this.#lastPublish;
    const patience = live.length > 0 ? PATIENCE.withHippos : PATIENCE.withoutHippos;
    if (quiet && waited >= Math.min(patience, this.#options.timeout)) return 'no-reaction';
    return this.isOverdue(false) ? 'timed-out' : null;
  }

  /**
   * Why nothing happens, each reason once.
   *
   * @param moreToCome see {@link isOverdue}
   */
  explanations(moreToCome: boolean): IdleReason[] {
    const found: IdleReason[] = [];
    if (this.#look?.live.length === 0) found.push({ type: 'no-hippo-runs', down: this.#look.down });
    for (const by of this.#look?.hidden ?? []) found.push({ type: 'hidden', by });
    for (const run of this.#look?.pending.open ?? []) {
      const { paused } = run;
      if (run.status === 'waiting' && !moreToCome) found.push({ type: 'waits-for-inputs', run });
      if (paused !== null) found.push({ type: 'job-paused', run: { ...run, paused } });
    }
    return found.filter((explanation) => {
      const id = JSON.stringify(explanation);
      const isNew = !this.#explained.has(id);
      this.#explained.add(id);
      return isNew;
    });
  }

  /** null before the first look. */
  tally(): Tally | null {
    if (this.#look === null) return null;
    return {
      done: this.#done.count,
      failed: count(this.#look, ({ phase, failed }) => phase === 'ended' && failed),
      waiting: count(this.#look, ({ phase }) => phase === 'waiting'),
      paced: this.#done.count - (this.#doneBefore ?? 0),
      lastDoneAt: this.#done.at,
    };
  }

  report(outcome: WaitOutcome): WaitReport {
    if (this.#look === null) {
      const pending = { undecided: [], open: [], running: [] };
      return { outcome, runs: [], unanswered: 0, pending, live: [], readers: [], down: [], hidden: [] };
    }
    const { runs, pending, live, readers, down, hidden } = this.#look;
    const unanswered = count(this.#look, (standing) => standing.runs === 0);
    return { outcome, runs, unanswered, pending, live, readers, down, hidden };
  }
}

/** Follows what was published to the end of all that it causes. */
export async function followToEnd(
  watch: Watching,
  published: readonly RecordRef[],
  { signal, ...options }: FollowingOptions & { signal: AbortSignal },
): Promise<WaitReport> {
  const following = new Following(watch, options);
  following.follow(published);
  const wake = (): void => following.wake();
  signal.addEventListener('abort', wake);
  try {
    for (;;) {
      await following.look();
      const outcome = signal.aborted ? 'interrupted' : following.outcome();
      if (outcome !== null) return following.report(outcome);
      await following.rest(LOOK);
    }
  } finally {
    signal.removeEventListener('abort', wake);
  }
}

function count({ standings }: Look, is: (standing: Standing) => boolean): number {
  let found = 0;
  for (const standing of standings.values()) if (is(standing)) found += 1;
  return found;
}

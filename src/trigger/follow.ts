import { type Millis, isoTime } from '../core/clock.ts';
import { type RecordRef, isSameTopic, offsetOf, recordId } from '../core/record-ref.ts';
import type { TopicPartition, TopicPartitionOffset } from '../kafka/port.ts';
import {
  type BuiltVersion,
  type FrontierEvent,
  type JobFinish,
  type JobStart,
  builtBy,
  countProduced,
  producedBy,
} from '../messages/index.ts';
import { CausesApart } from './causes-apart.ts';
import {
  type Pause,
  type Positions,
  type RunId,
  type RunState,
  type StateKey,
  type StateRecord,
  formatStateKey,
  listPositions,
  nextOffset,
  withPosition,
} from '../state/index.ts';

/** A run that an event caused, directly or through other runs. */
export interface FollowedRun {
  hippo: string;
  job: string;
  job_id: string;
  /** The key of the run's window or partition; null where the hippo names none. */
  run_key: string | null;
  outcome: 'running' | 'succeeded' | 'failed';
  /** Seconds; null until it has ended. */
  duration: number | null;
  error: string | null;
  /** Of a builder that has succeeded: the version, and whether it serves from then on; null: it has built none. */
  built: BuiltVersion | null;
  /** The messages that it was started with, of those that are followed: `topic/partition/offset` of each. */
  because: string[];
}

/** A run that has been decided and has not ended, as its hippo's state tells. */
export interface OpenRun {
  hippo: string;
  job: string;
  run_key: string;
  /** `waiting`, `ready` or `running`. */
  status: string;
  /** The needs that have landed. */
  has: string[];
  /** The pause of its job that keeps it from starting; null: none does. */
  paused: FoundPause | null;
}

/** Who paused a job, as far as its hippo's state tells. */
export interface FoundPause {
  by: string | null;
  reason: string | null;
  /** ISO 8601. */
  since: string | null;
}

/**
 * How an event stands: `undecided` while a live hippo has not read it, or while none lives; `running` while a run that it
 * caused is to start or to end; `waiting` where such runs only wait for further inputs; `ended`.
 */
export interface Standing {
  phase: 'undecided' | 'running' | 'waiting' | 'ended';
  /** How many runs it caused, directly or through other runs. */
  runs: number;
  /** One of them failed. */
  failed: boolean;
}

const PHASES = ['ended', 'waiting', 'undecided', 'running'] as const;

/** A message that is followed: a published event, or the finish of a run that one caused, or an event that the run produced. */
interface Followed {
  ref: RecordRef;
  since: Millis;
  /** The ids of the published events that it comes from. */
  roots: readonly string[];
}

/** What is still to come; empty when everything that was caused has ended. */
export interface Pending {
  /** Live hippos that have not yet read a followed message. */
  undecided: string[];
  open: OpenRun[];
  running: FollowedRun[];
}

export interface FollowChange {
  type: 'started' | 'finished';
  run: FollowedRun;
}

type Sighting = { taken: boolean } & (
  { type: 'started'; message: JobStart } | { type: 'finished'; message: JobFinish; ref: RecordRef }
);

interface KnownRun {
  hippo: string;
  run: RunState;
  /** Its inputs, what has landed again since, and the request for it. */
  causes: readonly RecordRef[];
}

/** By hippo. */
export type FleetPositions = ReadonlyMap<string, Positions>;

/**
 * Finds out what became of events: the runs that they started, the runs that those runs' finish messages and the events of
 * their outputs started, and so on. Pure bookkeeping: it is told every start and finish message, every event that names a
 * firing, every state record and every position since the events were published, in any order.
 */
export class Follower {
  /** By {@link recordId}. */
  readonly #followed = new Map<string, Followed>();
  /** Of each partition the last followed message: a hippo that has read it has read all of them. */
  readonly #heads = new Map<string, Pick<Followed, 'ref' | 'since'>>();
  /** By hippo, job and job id. */
  readonly #runs = new Map<string, FollowedRun>();
  /** What was seen before its cause was known to be followed: by {@link recordId} of the cause. */
  readonly #unclaimed = new Map<string, { cause: RecordRef; sighting: Sighting }[]>();
  /** As their hippos' state has them: by the key of the record. */
  readonly #state = new Map<string, KnownRun>();
  /** The paused jobs, by the key of the pause's record. */
  readonly #pauses = new Map<string, Pause>();
  readonly #apart = new CausesApart();
  /** Starts and finishes that do not list what they were started with: by the key of their run's record. */
  readonly #unlisted = new Map<string, Sighting[]>();
  readonly #positions = new Map<string, Positions>();
  /** The events that a firing has produced, as far as they were seen: by {@link firingId}. */
  readonly #produced = new Map<string, RecordRef[]>();
  /** How many events the finish messages of followed firings list: by {@link firingId}. */
  readonly #listed = new Map<string, number>();

  /** Follows an event that was published. */
  follow(ref: RecordRef, now: Millis): FollowChange[] {
    return this.#follow(ref, [recordId(ref)], now);
  }

  #follow(ref: RecordRef, roots: readonly string[], now: Millis): FollowChange[] {
    const id = recordId(ref);
    if (this.#followed.has(id)) return [];
    this.#followed.set(id, { ref, since: now, roots });
    const partition = `${ref.topic}/${ref.partition}`;
    const head = this.#heads.get(partition);
    if (head === undefined || offsetOf(ref) >= offsetOf(head.ref))
      this.#heads.set(partition, { ref, since: now });
    const sightings = this.#unclaimed.get(id) ?? [];
    this.#unclaimed.delete(id);
    return sightings
      .filter(({ cause }) => isSameTopic(cause.topicId, ref.topicId))
      .flatMap(({ sighting }) => this.#take(sighting, [id], now));
  }

  started(message: JobStart, now: Millis): FollowChange[] {
    return this.#see({ type: 'started', message, taken: false }, now);
  }

  /** @param ref of the finish message itself: others may react to it */
  finished(message: JobFinish, ref: RecordRef, now: Millis): FollowChange[] {
    return this.#see({ type: 'finished', message, ref, taken: false }, now);
  }

  /**
   * An event has been published. One that a followed firing has produced is followed, as the firing's finish message is.
   *
   * @param ref of the event
   */
  produced(message: FrontierEvent, ref: RecordRef, now: Millis): FollowChange[] {
    const by = producedBy(message);
    if (by === undefined) return [];
    const id = firingId(by);
    this.#produced.set(id, [...(this.#produced.get(id) ?? []), ref]);
    const run = this.#runs.get(id);
    return run === undefined ? [] : this.#follow(ref, this.#rootsOf(run.because), now);
  }

  /**
   * Whether the finish message of a followed firing lists an event that has not been seen. Both are of one transaction, but a
   * broker may show it in one partition before it does in another.
   */
  get awaitsEvents(): boolean {
    return [...this.#listed].some(([id, count]) => (this.#produced.get(id)?.length ?? 0) < count);
  }

  /**
   * A record of the state topic has been written. Kinds other than runs, their inputs, pauses and offsets do not matter here.
   *
   * @param record undefined for a tombstone, and for a run that has succeeded and is not held
   */
  stateChanged(key: StateKey, record: StateRecord | undefined, now: Millis): FollowChange[] {
    if (record?.kind === 'run') {
      const { hippo, run } = record;
      // Nothing is asked of a run that has succeeded: its start and finish messages tell it.
      if (isUnfinished(run) || hasEndedBadly(run))
        this.#state.set(formatStateKey(key), { hippo, run, causes: causesOf(run) });
      else this.#state.delete(formatStateKey(key));
    } else if (record?.kind === 'run-input') {
      const { run, landed } = this.#apart.take(key, record);
      if (landed === undefined) return [];
      return (this.#unlisted.get(run) ?? []).flatMap((sighting) => this.#attribute(sighting, [landed], now));
    } else if (record?.kind === 'offsets') {
      for (const position of listPositions(record.positions)) this.position(record.hippo, position);
    } else if (record?.kind === 'paused') {
      this.#pauses.set(formatStateKey(key), record.pause);
    } else {
      this.#pauses.delete(formatStateKey(key));
      this.#state.delete(formatStateKey(key));
      this.#apart.delete(key);
    }
    return [];
  }

  /** A hippo has read a partition up to this offset, exclusive. Never goes back. */
  position(hippo: string, position: TopicPartitionOffset): void {
    const known = this.#positions.get(hippo) ?? new Map();
    if (position.offset > (nextOffset(known, position) ?? -1n))
      this.#positions.set(hippo, withPosition(known, position));
  }

  /** Whether a followed message stands in the partition at this offset or behind it. */
  isFollowedFrom({ topic, partition }: TopicPartition, offset: bigint): boolean {
    const head = this.#heads.get(`${topic}/${partition}`);
    return head !== undefined && offsetOf(head.ref) >= offset;
  }

  /** The positions as they are now, for {@link pending}. */
  positions(): FleetPositions {
    return new Map(this.#positions);
  }

  /** The runs that were caused, in the order of their first sighting. */
  runs(): FollowedRun[] {
    return [...this.#runs.values(), ...this.#endedSilently()];
  }

  /**
   * What is still to come.
   *
   * @param live names of the hippos that run now
   * @param positions as of a moment *before* the ends up to which messages and state records have been told: only then
   *   does a position beyond a message mean that the runs that it caused are known
   */
  pending(live: readonly string[], positions: FleetPositions, now: Millis): Pending {
    const running = [...this.#runs.values()].filter(({ outcome }) => outcome === 'running');
    const open = [...this.#state.values()]
      .filter((known) => isUnfinished(known.run) && this.#followedOf(this.#causesOf(known)).length > 0)
      .map(({ hippo, run }) => ({
        hippo,
        job: run.job,
        run_key: run.key,
        status: run.status,
        has: [...Object.keys(run.inputs), ...this.#apart.needs(runId(hippo, run))],
        paused: this.#pauseOf(hippo, run),
      }));
    const undecided = live.filter((hippo) =>
      [...this.#heads.values()].some(({ ref, since }) => !hasRead(positions.get(hippo), ref, now - since)),
    );
    return { undecided, open, running };
  }

  /**
   * The live hippos that have certainly read all that is followed.
   *
   * @param live see {@link pending}
   */
  readers(live: readonly string[], positions: FleetPositions): string[] {
    return live.filter((hippo) =>
      [...this.#heads.values()].every(
        ({ ref }) => (nextOffset(positions.get(hippo) ?? new Map(), ref) ?? 0n) > offsetOf(ref),
      ),
    );
  }

  /**
   * How each published event stands, by its {@link recordId}.
   *
   * @param live see {@link pending}
   * @param positions see {@link pending}
   */
  standings(live: readonly string[], positions: FleetPositions, now: Millis): Map<string, Standing> {
    const standings = new Map<string, Standing>();
    const mark = (roots: readonly string[], phase: Standing['phase']): void => {
      for (const root of roots) {
        const standing = standings.get(root);
        if (standing === undefined) standings.set(root, { phase, runs: 0, failed: false });
        else if (PHASES.indexOf(phase) > PHASES.indexOf(standing.phase)) standing.phase = phase;
      }
    };
    for (const { ref, since, roots } of this.#followed.values()) {
      const isRead = (hippo: string): boolean => hasRead(positions.get(hippo), ref, now - since);
      mark(roots, live.length > 0 && live.every(isRead) ? 'ended' : 'undecided');
    }
    for (const known of this.#state.values()) {
      const { run } = known;
      if (isUnfinished(run))
        mark(
          this.#rootsOf(this.#followedOf(this.#causesOf(known))),
          run.status === 'waiting' ? 'waiting' : 'running',
        );
    }
    for (const { because, outcome } of this.runs()) {
      const roots = this.#rootsOf(because);
      if (outcome === 'running') mark(roots, 'running');
      for (const root of roots) {
        const standing = standings.get(root);
        if (standing === undefined) continue;
        standing.runs += 1;
        standing.failed ||= outcome === 'failed';
      }
    }
    return standings;
  }

  /** A run that was asked for by hand starts in spite of a pause. */
  #pauseOf(hippo: string, { job, status, manual }: RunState): FoundPause | null {
    if (status !== 'ready' || manual !== undefined) return null;
    const pause = this.#pauses.get(formatStateKey({ kind: 'paused', hippo, job }));
    if (pause === undefined) return null;
    const { by, reason, at } = pause;
    return { by: by ?? null, reason: reason ?? null, since: isoTime(at) };
  }

  #rootsOf(causes: readonly string[]): string[] {
    return [...new Set(causes.flatMap((cause) => this.#followed.get(cause)?.roots ?? []))];
  }

  #causesOf({ hippo, run, causes }: KnownRun): readonly RecordRef[] {
    return run.apart === undefined ? causes : [...causes, ...this.#apart.all(runId(hippo, run))];
  }

  /** @returns the ids of the followed ones. A record of a topic that was deleted may have had the same coordinates. */
  #followedOf(causes: readonly RecordRef[]): string[] {
    return causes.filter((cause) => this.#isFollowed(cause)).map(recordId);
  }

  #isFollowed(cause: RecordRef): boolean {
    const followed = this.#followed.get(recordId(cause));
    return followed !== undefined && isSameTopic(followed.ref.topicId, cause.topicId);
  }

  #see(sighting: Sighting, now: Millis): FollowChange[] {
    const { receiveMsgs = [], receiveCount, hippoName: hippo, jobName: job, runKey: key } = sighting.message;
    if (receiveCount === undefined || key === undefined) return this.#attribute(sighting, receiveMsgs, now);
    // Its hippo's state tells, before or after this.
    const id = runId(hippo, { job, key });
    this.#unlisted.set(id, [...(this.#unlisted.get(id) ?? []), sighting]);
    return this.#attribute(sighting, this.#apart.landed(id), now);
  }

  #attribute(sighting: Sighting, causes: readonly RecordRef[], now: Millis): FollowChange[] {
    for (const cause of causes) {
      if (this.#isFollowed(cause)) continue;
      const id = recordId(cause);
      this.#unclaimed.set(id, [...(this.#unclaimed.get(id) ?? []), { cause, sighting }]);
    }
    const because = this.#followedOf(causes);
    return because.length > 0 ? this.#take(sighting, because, now) : [];
  }

  /** Start and finish come on two topics, so the finish may be seen first: a start never reopens a run. */
  #take(sighting: Sighting, because: readonly string[], now: Millis): FollowChange[] {
    const { hippoName, jobName, jobId, runKey } = sighting.message;
    const id = firingId(sighting.message);
    const run: FollowedRun = this.#runs.get(id) ?? {
      hippo: hippoName,
      job: jobName,
      job_id: jobId,
      run_key: runKey ?? null,
      outcome: 'running',
      duration: null,
      error: null,
      built: null,
      because: [],
    };
    const isNew = !this.#runs.has(id);
    this.#runs.set(id, run);
    run.because = [...new Set([...run.because, ...because])];
    if (sighting.taken) return [];
    sighting.taken = true;
    const seen = isNew ? (this.#produced.get(id) ?? []) : [];
    const follows = (refs: readonly RecordRef[]): FollowChange[] =>
      refs.flatMap((each) => this.#follow(each, this.#rootsOf(run.because), now));
    if (sighting.type === 'started')
      return [...(isNew ? [{ type: 'started', run } as const] : []), ...follows(seen)];
    const { message, ref } = sighting;
    run.outcome = message.isSuccess ? 'succeeded' : 'failed';
    run.duration = message.durationTime;
    run.error = message.errorMsg ?? null;
    run.built = builtBy(message) ?? null;
    this.#listed.set(id, countProduced(message));
    return [{ type: 'finished', run }, ...follows([ref, ...seen])];
  }

  /** Runs that ended without a message, such as a window that timed out. */
  #endedSilently(): FollowedRun[] {
    const told = new Set(
      [...this.#runs.values()].map(({ hippo, job, run_key }) => `${hippo}/${job}/${run_key ?? ''}`),
    );
    return [...this.#state.values()]
      .filter(({ run }) => hasEndedBadly(run))
      .map((known) => ({ ...known, causes: this.#causesOf(known) }))
      .filter(({ causes }) => this.#followedOf(causes).length > 0)
      .filter(({ hippo, run }) => !told.has(`${hippo}/${run.job}/${run.key}`))
      .map(({ hippo, run, causes }) => ({
        hippo,
        job: run.job,
        job_id: run.jobId ?? '',
        run_key: run.key,
        outcome: 'failed',
        duration: null,
        error: run.held ?? run.error ?? run.status,
        built: null,
        because: this.#followedOf(causes),
      }));
  }
}

function firingId({ hippoName, jobName, jobId }: Pick<JobStart, 'hippoName' | 'jobName' | 'jobId'>): string {
  return `${hippoName}/${jobName}/${jobId}`;
}

/** The key of the run's record. */
function runId(hippo: string, { job, key }: RunId): string {
  return formatStateKey({ kind: 'run', hippo, job, key });
}

function isUnfinished({ held, status }: RunState): boolean {
  return held === undefined && (status === 'waiting' || status === 'ready' || status === 'running');
}

/** A held run waits for an operator: nothing more comes of its inputs. */
function hasEndedBadly({ held, status }: RunState): boolean {
  return held !== undefined || status === 'failed' || status === 'cancelled' || status === 'timed-out';
}

/** What has landed again makes a run run again after its end, or holds it. */
function causesOf({ inputs, relanded, manual }: RunState): RecordRef[] {
  const landed: RecordRef[] = [...Object.values(inputs), ...Object.values(relanded)];
  return manual === undefined ? landed : [...landed, manual.from];
}

/** A hippo that has positions, but none in a message's topic, does not read that topic; unless it has just begun. */
const BEGINNING = 2_000;
/** A hippo without any position has not been heard of for so long that it reads something else. */
const SILENT = 15_000;

function hasRead(known: Positions | undefined, ref: RecordRef, waited: Millis): boolean {
  const next = known === undefined ? undefined : nextOffset(known, ref);
  if (next !== undefined) return next > offsetOf(ref);
  // Of a topic that a hippo reads, a partition without a position was added since: it will be read from its beginning.
  if (known?.has(ref.topic) === true) return false;
  return waited > (known === undefined ? SILENT : BEGINNING);
}

import type { Millis } from '../core/clock.ts';
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import type { JobFinish, JobStart, ReceivedMessage } from '../messages/index.ts';

/** `topic/partition/offset` of a message. */
export type Coordinates = string;

export interface Place {
  topic: string;
  partition: number;
  /** Decimal text. */
  offset: string;
}

export function coordinatesOf({ topic, partition, offset }: Place | ReceivedMessage): Coordinates {
  return `${topic}/${partition}/${offset}`;
}

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
  /** The messages that it was started with, of those that are followed. */
  because: Coordinates[];
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

/** A message that is followed: a published event, or the finish of a run that one caused. */
interface Followed {
  /** `topic/partition` */
  at: string;
  offset: bigint;
  since: Millis;
  /** The published events that it comes from. */
  roots: readonly Coordinates[];
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
  { type: 'started'; message: JobStart } | { type: 'finished'; message: JobFinish; place: Place }
);

interface StateRun {
  hippo: string;
  job: string;
  runKey: string;
  jobId: string | null;
  status: string;
  error: string | null;
  has: string[];
  /** Its inputs, and the request for it. */
  inputs: Coordinates[];
}

/**
 * Finds out what became of events: the runs that they started, the runs that those runs' finish messages started, and so
 * on. Pure bookkeeping: it is told every start and finish message, every state record and every position since the
 * events were published, in any order.
 */
export class Follower {
  readonly #followed = new Map<Coordinates, Followed>();
  /** Of each partition the last followed message: who has read that one has read all. By `topic/partition`. */
  readonly #heads = new Map<string, { offset: bigint; since: Millis }>();
  /** By hippo, job and job id. */
  readonly #runs = new Map<string, FollowedRun>();
  /** What was seen before its cause was known to be followed. */
  readonly #unclaimed = new Map<Coordinates, Sighting[]>();
  /** By key of the state record. */
  readonly #state = new Map<string, StateRun>();
  /** hippo → `topic/partition` → next offset. */
  readonly #positions: Positions = new Map();

  /** Follows an event that was published. */
  follow(place: Place, now: Millis): FollowChange[] {
    return this.#follow(place, [coordinatesOf(place)], now);
  }

  #follow(place: Place, roots: readonly Coordinates[], now: Millis): FollowChange[] {
    const coordinates = coordinatesOf(place);
    if (this.#followed.has(coordinates)) return [];
    const at = `${place.topic}/${place.partition}`;
    const offset = BigInt(place.offset);
    this.#followed.set(coordinates, { at, offset, since: now, roots });
    if (offset >= (this.#heads.get(at)?.offset ?? 0n)) this.#heads.set(at, { offset, since: now });
    const sightings = this.#unclaimed.get(coordinates) ?? [];
    this.#unclaimed.delete(coordinates);
    return sightings.flatMap((sighting) => this.#take(sighting, [coordinates], now));
  }

  started(message: JobStart, now: Millis): FollowChange[] {
    return this.#see({ type: 'started', message, taken: false }, now);
  }

  /** @param place of the finish message itself: others may react to it */
  finished(message: JobFinish, place: Place, now: Millis): FollowChange[] {
    return this.#see({ type: 'finished', message, place, taken: false }, now);
  }

  /** A record of the state topic; others than runs and offsets are passed over. */
  stateRecord(key: string, value: Json): void {
    const [hippo = '', kind, job = '', ...rest] = key.split('/');
    if (kind === 'offsets' && isJsonObject(value)) {
      for (const [topic, partitions] of Object.entries(value)) {
        if (!isJsonObject(partitions)) continue;
        for (const [partition, next] of Object.entries(partitions)) {
          if (typeof next === 'string' && /^\d+$/.test(next))
            this.position(hippo, topic, Number(partition), BigInt(next));
        }
      }
    } else if (kind === 'run') {
      if (isJsonObject(value)) this.#state.set(key, stateRun(hippo, job, rest.join('/'), value));
      else this.#state.delete(key);
    }
  }

  /** A hippo has read a partition up to this offset, exclusive. Never goes back. */
  position(hippo: string, topic: string, partition: number, next: bigint): void {
    const known = this.#positions.get(hippo) ?? new Map<string, bigint>();
    const at = `${topic}/${partition}`;
    if (next > (known.get(at) ?? -1n)) known.set(at, next);
    this.#positions.set(hippo, known);
  }

  /** The positions as they are now, for {@link pending}. */
  positions(): Positions {
    return new Map([...this.#positions].map(([hippo, known]) => [hippo, new Map(known)]));
  }

  /** The runs that were caused, in the order of their first sighting. */
  runs(): FollowedRun[] {
    return [...this.#runs.values(), ...this.#endedSilently()];
  }

  /**
   * What is still to come.
   *
   * @param live names of the hippos that run now
   * @param positions as of a moment *before* the ends up to which start, finish and state records have been told: only then
   *   does a position beyond a message mean that the runs that it caused are known
   */
  pending(live: readonly string[], positions: Positions, now: Millis): Pending {
    const running = [...this.#runs.values()].filter(({ outcome }) => outcome === 'running');
    const open = [...this.#state.values()]
      .filter((run) => OPEN.has(run.status) && this.#isFollowed(run.inputs))
      .map(({ hippo, job, runKey, status, has }) => ({ hippo, job, run_key: runKey, status, has }));
    const undecided = live.filter((hippo) =>
      [...this.#heads].some(
        ([partition, { offset, since }]) => !hasRead(positions.get(hippo), partition, offset, now - since),
      ),
    );
    return { undecided, open, running };
  }

  /**
   * How each published event stands, by its coordinates.
   *
   * @param live see {@link pending}
   * @param positions see {@link pending}
   */
  standings(live: readonly string[], positions: Positions, now: Millis): Map<Coordinates, Standing> {
    const standings = new Map<Coordinates, Standing>();
    const mark = (roots: readonly Coordinates[], phase: Standing['phase']): void => {
      for (const root of roots) {
        const standing = standings.get(root);
        if (standing === undefined) standings.set(root, { phase, runs: 0, failed: false });
        else if (PHASES.indexOf(phase) > PHASES.indexOf(standing.phase)) standing.phase = phase;
      }
    };
    for (const { at, offset, since, roots } of this.#followed.values()) {
      const isRead = (hippo: string): boolean => hasRead(positions.get(hippo), at, offset, now - since);
      mark(roots, live.length > 0 && live.every(isRead) ? 'ended' : 'undecided');
    }
    for (const { status, inputs } of this.#state.values()) {
      if (OPEN.has(status)) mark(this.#rootsOf(inputs), status === 'waiting' ? 'waiting' : 'running');
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

  #rootsOf(causes: readonly Coordinates[]): Coordinates[] {
    return [...new Set(causes.flatMap((cause) => this.#followed.get(cause)?.roots ?? []))];
  }

  #isFollowed(inputs: readonly Coordinates[]): boolean {
    return inputs.some((coordinates) => this.#followed.has(coordinates));
  }

  #see(sighting: Sighting, now: Millis): FollowChange[] {
    const causes = (sighting.message.receiveMsgs ?? []).map(coordinatesOf);
    for (const cause of causes) {
      if (!this.#followed.has(cause))
        this.#unclaimed.set(cause, [...(this.#unclaimed.get(cause) ?? []), sighting]);
    }
    return this.#isFollowed(causes)
      ? this.#take(
          sighting,
          causes.filter((cause) => this.#followed.has(cause)),
          now,
        )
      : [];
  }

  /** Start and finish come on two topics, so the finish may be seen first: a start never reopens a run. */
  #take(sighting: Sighting, because: readonly Coordinates[], now: Millis): FollowChange[] {
    const { hippoName, jobName, jobId, runKey } = sighting.message;
    const id = `${hippoName}/${jobName}/${jobId}`;
    const run: FollowedRun = this.#runs.get(id) ?? {
      hippo: hippoName,
      job: jobName,
      job_id: jobId,
      run_key: runKey ?? null,
      outcome: 'running',
      duration: null,
      error: null,
      because: [],
    };
    const isNew = !this.#runs.has(id);
    this.#runs.set(id, run);
    run.because = [...new Set([...run.because, ...because])];
    if (sighting.taken) return [];
    sighting.taken = true;
    if (sighting.type === 'started') return isNew ? [{ type: 'started', run }] : [];
    const { message, place } = sighting;
    run.outcome = message.isSuccess ? 'succeeded' : 'failed';
    run.duration = message.durationTime;
    run.error = message.errorMsg ?? null;
    return [{ type: 'finished', run }, ...this.#follow(place, this.#rootsOf(run.because), now)];
  }

  /** Runs that ended without a message, such as a window that timed out. */
  #endedSilently(): FollowedRun[] {
    const told = new Set(
      [...this.#runs.values()].map(({ hippo, job, run_key }) => `${hippo}/${job}/${run_key ?? ''}`),
    );
    return [...this.#state.values()]
      .filter((run) => ENDED_BADLY.has(run.status) && this.#isFollowed(run.inputs))
      .filter(({ hippo, job, runKey }) => !told.has(`${hippo}/${job}/${runKey}`))
      .map(({ hippo, job, runKey, jobId, status, error, inputs }) => ({
        hippo,
        job,
        job_id: jobId ?? '',
        run_key: runKey,
        outcome: 'failed',
        duration: null,
        error: error ?? status,
        because: inputs.filter((coordinates) => this.#followed.has(coordinates)),
      }));
  }
}

export type Positions = Map<string, Map<string, bigint>>;

const OPEN: ReadonlySet<string> = new Set(['waiting', 'ready', 'running']);
const ENDED_BADLY: ReadonlySet<string> = new Set(['failed', 'cancelled', 'timed-out', 'held']);

/** A hippo that has positions, but none in a message's topic, does not read that topic; unless it has just begun. */
const BEGINNING = 2_000;
/** A hippo without any position has not been heard of for so long that it reads something else. */
const SILENT = 15_000;

function hasRead(
  known: ReadonlyMap<string, bigint> | undefined,
  partition: string,
  offset: bigint,
  waited: Millis,
): boolean {
  const next = known?.get(partition);
  if (next !== undefined) return next > offset;
  return waited > (known === undefined ? SILENT : BEGINNING);
}

function stateRun(hippo: string, job: string, runKey: string, value: JsonObject): StateRun {
  const inputs = inputsOf(value['inputs']);
  const held = textOf(value['held']);
  return {
    hippo,
    job,
    runKey,
    jobId: textOf(value['jobId']),
    status: held === null ? (textOf(value['status']) ?? '') : 'held',
    error: held ?? textOf(value['error']),
    has: inputs.map(([need]) => need),
    // What has landed again makes it run again after its end, or holds it.
    inputs: [...inputs, ...inputsOf(value['relanded'])]
      .map(([, input]) => input)
      .concat(requestOf(value))
      .filter(isPlace)
      .map(coordinatesOf),
  };
}

function inputsOf(value: Json | undefined): [need: string, input: Json][] {
  return Object.entries(isJsonObject(value) ? value : {});
}

/** Where the request is by which the run was asked for, if it was. */
function requestOf({ manual }: JsonObject): Json {
  return isJsonObject(manual) ? (manual['from'] ?? null) : null;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function isPlace(input: Json): input is JsonObject & Place {
  return (
    isJsonObject(input) &&
    typeof input['topic'] === 'string' &&
    typeof input['partition'] === 'number' &&
    typeof input['offset'] === 'string'
  );
}

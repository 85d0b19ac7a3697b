import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { Millis } from '../../core/clock.ts';
import type { Watermark } from '../../core/watermark.ts';
import { type Announcements, NO_ANNOUNCEMENTS } from '../../state/index.ts';
import type {
  AlertState,
  ExpectedState,
  InputState,
  LastResult,
  ModelState,
  Pause,
  RunId,
  RunState,
  ScanReport,
  ServiceState,
  TimedState,
} from '../../state/index.ts';

/** Inputs by need. A run may have thousands, so they are not copied to add one. */
export type Inputs = PersistentMap<string, InputState>;

export const NO_INPUTS: Inputs = PersistentMap();

/** A run, as the machine has it. */
export interface Run extends Omit<RunState, 'inputs' | 'relanded'> {
  inputs: Inputs;
  relanded: Inputs;
}

/**
 * Everything that a hippo remembers, as values that are never changed in place: a step returns a new state that shares
 * all but the changed paths with the old one. `runs`, `landings` and `pauses` are what the records of the state topic
 * hold; the rest is derived from them.
 */
export interface MachineState {
  readonly owned: boolean;
  /** By job, then key. */
  readonly runs: PersistentMap<string, JobRuns>;
  /** By the key of their records. */
  readonly landings: PersistentMap<string, InputState>;
  /** By job, source or service. */
  readonly pauses: PersistentMap<string, Pause>;
  /** By timed job. */
  readonly timed: PersistentMap<string, TimedState>;
  /** By job with `keep_result`; also of jobs that are gone, or do not keep it any more. */
  readonly lastResults: PersistentMap<string, LastResult>;
  /** By source; of a service, what it has announced. */
  readonly sources: PersistentMap<string, Source>;
  /** By job: of each partition that it has produced, the last event. Of jobs that are gone, too. */
  readonly outputs: PersistentMap<string, Announcements>;
  /** By service. */
  readonly services: PersistentMap<string, ServiceState>;
  /** By model; also of models that are gone. */
  readonly models: PersistentMap<string, ModelState>;
  /** By job, of those that expect each window. */
  readonly expected: PersistentMap<string, ExpectedState>;
  /** By id: the open ones, and those whose end is not published or delivered yet. */
  readonly alerts: PersistentMap<string, AlertState>;
  /** By {@link causeName}: the id of its newest alert. Not kept in the topic. */
  readonly lastAlerts: PersistentMap<string, string>;
  /** The alert topic cannot be written to for now. Not kept in the topic. */
  readonly alertsWithheld: boolean;
  /** No tick before this time changes anything. */
  readonly wakeAt: Millis;
  /** When what is older than `keep` is looked for next. */
  readonly expireAt: Millis;
  /** The sum of the wall clock's jumps since the state was read: by so much later times count as earlier when it forgets. */
  readonly jumped: Millis;
  /**
   * The jobs whose start and finish messages cannot be written for now. None of their runs starts, for its start message is
   * written together with its record. Not kept in the topic.
   */
  readonly withheld: ReadonlySet<string>;
  /** Keys of state records that are not this definition's: jobs that are gone, records of another shape. */
  readonly strays: readonly string[];
  /** Of those, the runs: by the key of their records. */
  readonly gone: PersistentMap<string, Run>;
}

/** What the machine has of a source. */
export interface Source {
  readonly announcements: Announcements;
  /** As in the record of the state topic. */
  readonly isListed: boolean;
  readonly watermark?: Watermark;
  readonly lastScan?: ScanReport;
  /** Landings that may still change, by hash: what was found, since when it is the same, and the scan that listed it last. Not kept in the topic. */
  readonly unsettled: PersistentMap<string, { fingerprint: number; since: Millis; scan: number }>;
  /** How many landings the present scan has announced. */
  readonly announced: number;
}

export const NEW_SOURCE: Source = {
  announcements: NO_ANNOUNCEMENTS,
  isListed: false,
  unsettled: PersistentMap(),
  announced: 0,
};

/** The runs of one job. */
export interface JobRuns {
  readonly byKey: PersistentMap<string, Run>;
  /** Keys of the runs that have not ended. */
  readonly open: PersistentSet<string>;
  readonly running: PersistentSet<string>;
  /** The epoch second in the newest job id: the next one is later. */
  readonly lastId: number;
}

const NO_RUNS: JobRuns = {
  byKey: PersistentMap(),
  open: PersistentSet(),
  running: PersistentSet(),
  lastId: 0,
};

/** Before anything has happened. */
export function emptyState(): MachineState {
  return {
    owned: false,
    runs: PersistentMap(),
    landings: PersistentMap(),
    pauses: PersistentMap(),
    timed: PersistentMap(),
    lastResults: PersistentMap(),
    sources: PersistentMap(),
    outputs: PersistentMap(),
    services: PersistentMap(),
    models: PersistentMap(),
    expected: PersistentMap(),
    alerts: PersistentMap(),
    lastAlerts: PersistentMap(),
    alertsWithheld: false,
    wakeAt: Infinity,
    expireAt: 0,
    jumped: 0,
    withheld: new Set(),
    strays: [],
    gone: PersistentMap(),
  };
}

/** When the next `tick` is due, epoch ms; null: none is. */
export function nextWake({ owned, wakeAt, expireAt }: MachineState): Millis | null {
  return owned ? Math.min(wakeAt, expireAt) : null;
}

/** The run without some of the fields that it need not have. */
export function omit(run: Run, ...names: ('held' | 'stopping' | 'error' | 'manual' | 'apart')[]): Run {
  const kept = Object.entries(run).filter(([name]) => !(names as string[]).includes(name));
  return Object.fromEntries(kept) as unknown as Run;
}

/** Between its first attempt's start and its finish: also while it waits for its next attempt. */
export function isFiring(run: Run): boolean {
  return run.status === 'running' || (run.status === 'ready' && run.attempt > 0);
}

export function isOpen(run: Pick<Run, 'status'>): boolean {
  return run.status === 'waiting' || run.status === 'ready' || run.status === 'running';
}

export function runsOf(state: MachineState, job: string): JobRuns {
  return state.runs.get(job) ?? NO_RUNS;
}

export function findRun(state: MachineState, id: RunId): Run | undefined {
  return state.runs.get(id.job)?.byKey.get(id.key);
}

/** All runs that are remembered, in no order. */
export function* listRuns(state: MachineState): Generator<Run> {
  for (const runs of state.runs.values()) yield* runs.byKey.values();
}

/** The runs that have not ended, in no order. */
export function* listOpenRuns(state: MachineState): Generator<Run> {
  for (const { byKey, open } of state.runs.values()) {
    for (const key of open) {
      const run = byKey.get(key);
      if (run !== undefined) yield run;
    }
  }
}

/**
 * Whether some run is running, or starts as soon as a place is free and its pause before a retry is over: nothing else need
 * happen.
 */
export function hasWork(state: MachineState): boolean {
  for (const run of listOpenRuns(state)) {
    const isRunning = run.status === 'running' && !state.withheld.has(run.job);
    if (isRunning || isStartable(state, run)) return true;
  }
  return false;
}

/** A pause of its job does not hold back a run that was asked for by hand. */
export function isStartable({ pauses, withheld }: MachineState, { status, manual, job }: Run): boolean {
  return status === 'ready' && !withheld.has(job) && (manual !== undefined || !pauses.has(job));
}

/** The paused jobs. */
export function listPauses(state: MachineState): Iterable<[job: string, pause: Pause]> {
  return state.pauses.entries();
}

/** The job's runs with this one added or replaced, and what is derived from them kept true. */
export function withRun(runs: JobRuns, run: Run): JobRuns {
  const second = run.jobId === null ? 0 : secondOf(run.jobId);
  return {
    byKey: runs.byKey.set(run.key, run),
    open: isOpen(run) ? runs.open.add(run.key) : runs.open.remove(run.key),
    running: run.status === 'running' ? runs.running.add(run.key) : runs.running.remove(run.key),
    lastId: Math.max(runs.lastId, second),
  };
}

export function withoutRun(runs: JobRuns, key: string): JobRuns {
  return {
    ...runs,
    byKey: runs.byKey.remove(key),
    open: runs.open.remove(key),
    running: runs.running.remove(key),
  };
}

function secondOf(jobId: string): number {
  const second = Number(jobId.slice(jobId.lastIndexOf('_') + 1));
  return Number.isSafeInteger(second) ? second : 0;
}

/**
 * The logs of all attempts in a project: none grows beyond a size, those of runs that are forgotten are removed, and so are the
 * oldest beyond a time and a total. Every client of the project does so for the files on its machine.
 */
import { rm, stat } from 'node:fs/promises';
import type { Millis } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { formatSize } from '../../core/size.ts';
import type { RunId } from '../../state/index.ts';
import { isAttemptOf } from '../machine/index.ts';
import { type LogName, listLogs, logName, logsOfJob, readLogName } from './attempt-log.ts';
import { LogCutter } from './log-cut.ts';
import type { AttemptFiles } from './orphans.ts';

/** The pause between two looks at the logs that grow, milliseconds. A job exceeds the limit by what it prints meanwhile. */
const LOOK_EVERY = 100;
/** The pause between two looks at all logs, milliseconds. */
const SWEEP_EVERY = 3_600_000;
/** A log that was written to within this time is in use: another client may have started its attempt just now. */
const YOUNG = 60_000;
/** Where the total is too large, so much of it is kept: not each further attempt shall be too much again. */
const KEPT = 0.9;

export interface LogLimits {
  /** Bytes of one attempt's log. */
  attempt_size: number;
  /** A log is removed so long after its last line. */
  keep: Millis;
  /** Bytes of all logs of attempts. */
  max_size: number;
}

export interface AttemptLogsOptions {
  /** The project. */
  directory: string;
  /** `<prefix>/<name>`: with profiles, clients of several hippos may run in one project. */
  identity: string;
  limits: LogLimits;
  /** The attempts that run in this project, whichever client has started them. */
  files: Pick<AttemptFiles, 'list'>;
  now: () => Millis;
  /** Told once of each log that cannot be removed, and why. */
  warn: (text: string) => void;
}

/** The log of an attempt that has not ended. */
export interface OpenLog {
  /** Cuts what the job has printed last. Resolves when nothing is written to the log by us; never rejects. */
  settle(): Promise<void>;
  /** The attempt has ended. */
  release(): void;
}

interface Watched {
  path: string;
  cutter: LogCutter;
  tell: (text: string) => void;
  /** The last look. */
  looking: Promise<void>;
  isLooking: boolean;
  /** Nothing more is told of it. */
  isTold: boolean;
}

export class AttemptLogs {
  readonly #options: AttemptLogsOptions;
  readonly #watched = new Set<Watched>();
  /** The logs that cannot be removed, of which was told. */
  readonly #stuck = new Set<string>();
  #looks: NodeJS.Timeout | undefined;
  #sweeps: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #total = 0;
  #isClosed = false;

  constructor(options: AttemptLogsOptions) {
    this.#options = options;
  }

  /** Removes what is too old or too much, now and each hour. */
  start(): void {
    const sweep = (): void => this.#enqueue(() => this.#sweep());
    sweep();
    this.#sweeps = setInterval(sweep, SWEEP_EVERY).unref();
  }

  /** Resolves when all that was to be removed so far is. */
  idle(): Promise<void> {
    return this.#work;
  }

  /** Resolves when nothing is removed any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweeps);
    await this.#work;
  }

  /**
   * Keeps the log of an attempt below the limit until it is released.
   *
   * @param tell called at most once: that the log is cut, or that it cannot be
   */
  watch(path: string, tell: (text: string) => void): OpenLog {
    const watched: Watched = {
      path,
      cutter: new LogCutter(path, this.#options.limits.attempt_size),
      tell,
      looking: Promise.resolve(),
      isLooking: false,
      isTold: false,
    };
    this.#watched.add(watched);
    this.#looks ??= setInterval(() => this.#lookAtAll(), LOOK_EVERY);
    return {
      settle: async () => {
        await watched.looking;
        this.#look(watched);
        await watched.looking;
      },
      release: () => this.#release(watched),
    };
  }

  /** Removes the logs of runs that the hippo has forgotten, unless an attempt of theirs still ends. */
  forget(runs: readonly RunId[]): void {
    if (runs.length > 0) this.#enqueue(() => this.#forget(runs));
  }

  #lookAtAll(): void {
    for (const watched of this.#watched) if (!watched.isLooking) this.#look(watched);
  }

  #look(watched: Watched): void {
    watched.isLooking = true;
    watched.looking = watched.cutter
      .look()
      .then(
        (isCut) => {
          if (isCut) this.#tell(watched, this.#excess());
        },
        (error: unknown) => this.#tell(watched, `its log cannot be cut: ${messageOf(error)}`),
      )
      .finally(() => (watched.isLooking = false));
  }

  #excess(): string {
    const size = formatSize(this.#options.limits.attempt_size);
    return `its log has reached ${size} (logs.attempt_size): from now on only its beginning and its end are kept`;
  }

  #tell(watched: Watched, text: string): void {
    if (!watched.isTold) watched.tell(text);
    watched.isTold = true;
  }

  #release(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size === 0) {
      clearInterval(this.#looks);
      this.#looks = undefined;
    }
    this.#enqueue(async () => {
      this.#total += await sizeOf(watched.path);
      if (this.#total > this.#options.limits.max_size) await this.#sweep();
    });
  }

  /** One after the other. A folder that cannot be read now is read in an hour. */
  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(() => (this.#isClosed ? undefined : work())).catch(() => undefined);
  }

  async #sweep(): Promise<void> {
    const { directory, limits, now } = this.#options;
    const logs = (await listLogs(directory)).attempts.sort((one, other) => one.at - other.at);
    const isInUse = this.#inUse();
    const at = now();
    let total = logs.reduce((sum, { size }) => sum + size, 0);
    const most = total > limits.max_size ? limits.max_size * KEPT : limits.max_size;
    for (const log of logs) {
      const age = at - log.at;
      if (total <= most && age <= limits.keep) break;
      if (this.#isClosed || isInUse(log.path) || age < YOUNG) continue;
      if (await this.#remove(log.path)) total -= log.size;
    }
    this.#total = total;
  }

  async #forget(runs: readonly RunId[]): Promise<void> {
    const { directory, identity } = this.#options;
    const isInUse = this.#inUse();
    for (const [job, those] of Map.groupBy(runs, (run) => run.job)) {
      const byKey = Map.groupBy(those, ({ key }) => logName({ key, attemptId: '' }).key);
      const isForgotten = ({ key, attemptId }: LogName): boolean =>
        byKey.get(key)?.some((run) => isAttemptOf(identity, run, attemptId)) === true;
      for (const path of await logsOfJob(directory, job)) {
        const name = readLogName(path);
        if (name !== undefined && isForgotten(name) && !isInUse(path)) await this.#remove(path);
      }
    }
  }

  /** @returns false where it cannot be removed: the other logs are, and the next sweep tries it again */
  async #remove(path: string): Promise<boolean> {
    try {
      await rm(path, { force: true });
      this.#stuck.delete(path);
      return true;
    } catch (error) {
      if (!this.#stuck.has(path)) this.#options.warn(`${path} cannot be removed: ${messageOf(error)}`);
      this.#stuck.add(path);
      return false;
    }
  }

  /** Of the attempts of this client, and those of other clients of the project. */
  #inUse(): (path: string) => boolean {
    const { files } = this.#options;
    const ours = new Set([...this.#watched].map(({ path }) => path));
    const theirs = new Set(files.list().map(({ attemptId }) => attemptId));
    return (path) => ours.has(path) || theirs.has(readLogName(path)?.attemptId ?? '');
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

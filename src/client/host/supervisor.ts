import { rmSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/clock.ts';
import type { YarnConfig } from '../../config/schema.ts';
import type { StackEnvironment } from '../../config/stack-file.ts';
import type { HookRun } from '../hooks.ts';
import type { JobOutcome, Submission } from '../machine/types.ts';
import { attemptLogPath, noteInLog, tailOf } from './attempt-log.ts';
import type { AttemptLogs, OpenLog } from './attempt-logs.ts';
import { faultPoint } from './fault.ts';
import type { Guard } from './guard.ts';
import type { HookRunner } from './hook-runner.ts';
import { jobEnvironment } from './job-environment.ts';
import { type AttemptFiles, endOrphans } from './orphans.ts';
import { InputsFiles } from './inputs-file.ts';
import { BuildFiles } from './model-files.ts';
import { OwnerFiles } from './owner-files.ts';
import {
  PermanentError,
  type ProgramEnd,
  failed,
  outcomeOfError,
  outcomeOfProgram,
  outcomeOnYarn,
  withResult,
  withTail,
} from './outcome.ts';
import { endGroup, killTagged, signalGroup } from './process-group.ts';
import { type JobCommand, type JobEnd, startProcess } from './process.ts';
import { takeResult } from './result-file.ts';
import { isYarnCluster } from './spark-mode.ts';
import { ATTEMPT_TAG, OWNER_TAG } from './tags.ts';
import type { YarnAttempt } from './yarn/attempt.ts';
import type { YarnCluster } from './yarn/cluster.ts';
import { UnknownError, confirmationDeadline } from './yarn/watch.ts';

/** An attempt has ended, for whatever reason. */
export interface AttemptExit {
  submission: Submission;
  outcome: JobOutcome;
  startedAt: Millis;
  durationMs: number;
  logFile: string;
}

/** What a person should know about an attempt, or about what an earlier owner left (null). */
export interface AttemptNote {
  level: 'info' | 'warning';
  submission: Submission | null;
  text: string;
}

export interface SupervisorOptions {
  hippo: string;
  /** Tells one hippo of one cluster from every other: `<cluster id>/<hippo>`. */
  owner: string;
  /** The project: working directory of the jobs. */
  directory: string;
  sparkSubmit: string | null;
  /** As in {@link JobEnvironmentOptions}. */
  environment: StackEnvironment;
  killGrace: Millis;
  hooks: HookRunner;
  guard: Guard;
  files: AttemptFiles;
  logs: Pick<AttemptLogs, 'watch'>;
  yarn: YarnConfig;
  /** Null: no resource manager is known, and exit codes decide. */
  cluster: YarnCluster | null;
  /** Whether a success of this job without a result counts as a failure. */
  needsResult: (job: string) => boolean;
  /**
   * Asked right before a process starts: whether this client still owns the hippo. If not, another client may run this
   * run.
   */
  isOwner: () => Promise<boolean>;
  onStarted: (submission: Submission, started: { pid: number; logFile: string }) => void;
  /** Called once for each submission, but for those that {@link Supervisor.stop} ends or that are not ours to start. */
  onExit: (exit: AttemptExit) => void;
  onNote: (note: AttemptNote) => void;
}

interface Attempt {
  submission: Submission;
  startedAt: Millis;
  begun: number;
  logFile: string;
  log: OpenLog;
  pid: number | null;
  /** Why it is being ended, when it is. */
  ending: { kind: 'cancel'; reason: string } | { kind: 'stop' } | null;
  /** Aborted when it is being ended; `stopped` only by a stop. */
  ended: AbortController;
  stopped: AbortController;
  done: Promise<void>;
}

/**
 * Runs the attempts' processes, and watches what they started on YARN. Guarantees: every submission ends in exactly one exit,
 * no matter how it fails to start, unless it is stopped; when an attempt's end is reported, none of its processes is left; an application on YARN
 * has ended by then, or is made sure of before the run's next attempt starts; nothing here throws or blocks the caller.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #inputs: InputsFiles;
  /** Where jobs write their results. A client that was killed has taken none of its jobs'. */
  readonly #results: OwnerFiles;
  readonly #builds: BuildFiles;
  readonly #attempts = new Map<string, Attempt>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#inputs = new InputsFiles(options.directory, options.owner);
    this.#results = new OwnerFiles(options.directory, 'results', options.owner);
    this.#builds = new BuildFiles(options.directory, options.owner);
  }

  /** The attempts at work, being started or being ended. */
  get running(): string[] {
    return [...this.#attempts.keys()];
  }

  /** For how long each of {@link running} has been at work, milliseconds. */
  get runningFor(): Map<string, Millis> {
    const now = performance.now();
    return new Map([...this.#attempts].map(([id, { begun }]) => [id, Math.round(now - begun)]));
  }

  start(submission: Submission): void {
    const { directory, logs, onNote } = this.#options;
    const logFile = attemptLogPath(directory, submission);
    const attempt: Attempt = {
      submission,
      startedAt: Date.now(),
      begun: performance.now(),
      logFile,
      log: logs.watch(logFile, (text) => onNote({ level: 'warning', submission, text })),
      pid: null,
      ending: null,
      ended: new AbortController(),
      stopped: new AbortController(),
      done: Promise.resolve(),
    };
    this.#attempts.set(submission.attemptId, attempt);
    attempt.done = this.#run(attempt).then(
      (outcome) => this.#report(attempt, outcome),
      (error: unknown) => this.#report(attempt, outcomeOfError(error)),
    );
  }

  /** @returns false when no such attempt is at work here */
  cancel(attemptId: string, reason: string): boolean {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return false;
    this.#end(attempt, { kind: 'cancel', reason });
    return true;
  }

  /**
   * Ends all attempts, or those given, without reporting their exits. Resolves when none of their processes is left; what is
   * at work on YARN is ended too, or left to the next owner, as `client.on_stop` says.
   */
  async stop(attemptIds: readonly string[] = this.running): Promise<void> {
    const stopped = attemptIds.map((id) => this.#attempts.get(id)).filter((attempt) => attempt !== undefined);
    for (const attempt of stopped) this.#end(attempt, { kind: 'stop' });
    await Promise.all(stopped.map(({ done }) => done));
  }

  /** Ends what earlier owners left, on this machine and on YARN. @returns how many processes and applications there were */
  async endOrphans(): Promise<number> {
    const { owner, files, killGrace, cluster, onNote } = this.#options;
    const spare = this.running;
    this.#inputs.removeOthers(spare);
    this.#builds.removeOthers(spare);
    const [processes, applications] = await Promise.all([
      endOrphans(owner, files, spare, killGrace),
      cluster?.endOrphans(spare, (level, text) => onNote({ level, submission: null, text })) ?? 0,
    ]);
    // Until it is ended, such a process may write one.
    this.#results.removeOthers(spare);
    return processes + applications;
  }

  /**
   * The last resort, for a client that is about to exit: sends SIGKILL at once to every group and to the processes that
   * left it.
   */
  killNow(): void {
    const { owner } = this.#options;
    for (const { pid } of this.#attempts.values()) if (pid !== null) signalGroup(pid, 'SIGKILL');
    for (const attemptId of this.#attempts.keys())
      killTagged({ [OWNER_TAG]: owner, [ATTEMPT_TAG]: attemptId });
  }

  async #run(attempt: Attempt): Promise<JobOutcome> {
    const { submission, logFile } = attempt;
    const { hippo, directory, hooks, needsResult } = this.#options;
    const decision = await hooks.beforeSubmit(hookRun(hippo, submission));
    if ('veto' in decision) return { status: 'vetoed', reason: decision.veto };
    const resultFile = this.#resultFile(submission);
    const inputs = { path: this.#inputs.path(submission.attemptId), json: JSON.stringify(submission.inputs) };
    this.#inputs.write(submission.attemptId, inputs.json);
    const command: JobCommand = {
      argv: [submission.argv[0] ?? '', ...(decision.args ?? submission.argv.slice(1))],
      cwd: directory,
      env: jobEnvironment(this.#options, submission, decision, {
        result: resultFile,
        inputs,
        model: this.#modelFile(submission),
      }),
      logFile,
      tags: [OWNER_TAG, ATTEMPT_TAG],
    };
    const onYarn = this.#onYarn(attempt, command);
    const outcome = await (onYarn === null
      ? this.#runHere(attempt, command)
      : this.#runOnYarn(attempt, command, onYarn));
    return withResult(outcome, takeResult(resultFile), onYarn === null && needsResult(submission.job));
  }

  async #runHere(attempt: Attempt, command: JobCommand): Promise<JobOutcome> {
    const end = await this.#process(attempt, command);
    // Some programs exit with 0 after SIGTERM; that does not count as a success.
    if (end === null || attempt.ending !== null) return cancelled(attempt);
    return outcomeOfProgram(end);
  }

  async #runOnYarn(attempt: Attempt, command: JobCommand, onYarn: YarnAttempt): Promise<JobOutcome> {
    const end = await this.#submitToYarn(attempt, command, onYarn).catch((error: unknown) => {
      if (attempt.ending === null) throw error;
      return null;
    });
    if (attempt.ending === null && end !== null) return end;
    const unconfirmed = await this.#endOnYarn(attempt, onYarn);
    if (unconfirmed === null) return cancelled(attempt);
    const what = `whether its applications have ended is unknown: ${unconfirmed}`;
    this.#note(attempt, 'warning', what);
    return cancelled(attempt, what);
  }

  /** @returns null when it was told to end before there was anything to end */
  async #submitToYarn(
    attempt: Attempt,
    command: JobCommand,
    onYarn: YarnAttempt,
  ): Promise<JobOutcome | null> {
    const { signal } = attempt.ended;
    const takenUp = await onYarn.settle(signal).catch((error: unknown) => {
      throw inOtherWords(error, 'not started: what earlier attempts left on YARN is unknown');
    });
    if (takenUp !== null) return outcomeOnYarn(null, takenUp, false);
    const end = await this.#process(attempt, command);
    if (end === null) return null;
    try {
      return outcomeOnYarn(end, await onYarn.ended(signal), onYarn.lostSight);
    } catch (error) {
      if (!(error instanceof UnknownError)) throw error;
      const what = 'whether its application has succeeded, or still runs, is unknown';
      return failed(withTail(`${what}: ${error.message}`, end.tail), end.exitCode, end.signal);
    }
  }

  /**
   * @returns the reason why the end is not confirmed; null when nothing of the attempt runs, or when it is left running
   * on purpose
   */
  async #endOnYarn(attempt: Attempt, onYarn: YarnAttempt): Promise<string | null> {
    const { cluster, killGrace } = this.#options;
    if (attempt.ending?.kind === 'cancel') {
      try {
        await onYarn.kill(attempt.stopped.signal);
        return null;
      } catch (error) {
        if (!attempt.stopped.signal.aborted) return messageOf(error);
      }
    }
    if (cluster?.detach === true) return null;
    return onYarn.kill(confirmationDeadline(killGrace)).then(() => null, messageOf);
  }

  /** Runs the program to its end. @returns null when the attempt was told to end before. @throws Error when it cannot be started */
  async #process(attempt: Attempt, command: JobCommand): Promise<ProgramEnd | null> {
    const { guard, files, owner, isOwner, onStarted } = this.#options;
    const { submission, logFile } = attempt;
    const { attemptId } = submission;
    if (!(await isOwner())) this.#end(attempt, { kind: 'stop' });
    if (attempt.ending !== null) return null;
    faultPoint('before-spawn');
    const child = startProcess(command);
    faultPoint('after-spawn');
    attempt.pid = child.pid;
    let end: JobEnd;
    try {
      if (child.pid !== null) {
        guard.watch(child.pid);
        await files.write({ attemptId, owner, pid: child.pid });
        onStarted(submission, { pid: child.pid, logFile });
      }
      end = await child.ended;
    } catch (error) {
      // Its end is about to be reported: nothing of it may be left at work beside the next attempt.
      if (child.pid !== null) await endGroup(child.pid, this.#options.killGrace);
      await child.ended;
      throw error;
    } finally {
      attempt.pid = null;
      if (child.pid !== null) guard.forget(child.pid);
      files.remove(attemptId);
    }
    faultPoint('after-exit');
    await attempt.log.settle();
    if (end.kind === 'not-started') throw end.permanent ? new PermanentError(end.why) : new Error(end.why);
    const { exitCode, signal } = end;
    return { program: command.argv[0] ?? '', exitCode, signal, tail: tailOf(logFile) };
  }

  #end(attempt: Attempt, ending: NonNullable<Attempt['ending']>): void {
    // A stop overrides every other ending: its exit is not reported.
    if (attempt.ending !== null && ending.kind !== 'stop') return;
    const begun = attempt.ending !== null;
    attempt.ending = ending;
    attempt.ended.abort();
    if (ending.kind === 'stop') attempt.stopped.abort();
    if (attempt.pid !== null && !begun) void endGroup(attempt.pid, this.#options.killGrace);
  }

  #report(attempt: Attempt, outcome: JobOutcome): void {
    const { submission, startedAt, begun, logFile } = attempt;
    this.#attempts.delete(submission.attemptId);
    attempt.log.release();
    this.#inputs.remove(submission.attemptId);
    if (submission.model !== undefined) this.#builds.remove(submission.attemptId);
    if (attempt.ending?.kind === 'stop') return;
    this.#options.cluster?.judged(submission.attemptId);
    this.#options.onExit({
      submission,
      outcome,
      startedAt,
      durationMs: Math.round(performance.now() - begun),
      logFile,
    });
  }

  #onYarn(attempt: Attempt, { env }: JobCommand): YarnAttempt | null {
    if (!isYarnCluster({ ...process.env, ...env })) return null;
    const note = (level: AttemptNote['level'], text: string): void => this.#note(attempt, level, text);
    const { cluster } = this.#options;
    if (cluster === null) {
      note('warning', 'YARN in cluster mode without yarn.resource_managers: only the exit code is known');
    }
    return cluster?.attempt(attempt.submission, attempt.logFile, note) ?? null;
  }

  #note({ submission, logFile }: Attempt, level: AttemptNote['level'], text: string): void {
    noteInLog(logFile, text);
    this.#options.onNote({ level, submission, text });
  }

  #modelFile({ attemptId, model }: Submission): string | undefined {
    if (model === undefined) return undefined;
    this.#builds.write(attemptId, model);
    return this.#builds.path(attemptId);
  }

  #resultFile(submission: Submission): string {
    this.#results.makeFolder();
    const file = this.#results.path(submission.attemptId);
    rmSync(file, { force: true, recursive: true });
    return file;
  }
}

/** An attempt that was told to end has ended. */
function cancelled({ ending, logFile }: Attempt, more?: string): JobOutcome {
  const reason = ending?.kind === 'cancel' ? ending.reason : 'the client was stopped';
  const first = more === undefined ? reason : `${reason}; ${more}`;
  return { status: 'cancelled', reason: withTail(first, tailOf(logFile)) };
}

function inOtherWords(error: unknown, what: string): unknown {
  return error instanceof UnknownError
    ? new UnknownError(`${what}: ${error.message}`, { cause: error })
    : error;
}

export function hookRun(hippo: string, submission: Submission): HookRun {
  const { window, argv } = submission;
  return {
    hippo,
    job: submission.job,
    runKey: submission.key,
    jobId: submission.jobId,
    attempt: submission.attempt,
    attemptId: submission.attemptId,
    window:
      window === null
        ? null
        : { start: new Date(window.start).toISOString(), end: new Date(window.end).toISOString() },
    program: argv[0] ?? '',
    args: argv.slice(1),
    env: submission.env,
    inputs: submission.inputs,
  };
}

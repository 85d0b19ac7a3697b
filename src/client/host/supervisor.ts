import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/clock.ts';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import type { HookDecision, HookRun } from '../hooks.ts';
import type { JobOutcome, Submission } from '../machine/types.ts';
import { attemptLogPath, fileSafe, tailOf } from './attempt-log.ts';
import { faultPoint } from './fault.ts';
import type { Guard } from './guard.ts';
import type { HookRunner } from './hook-runner.ts';
import type { AttemptFiles } from './orphans.ts';
import { endGroup, signalGroup } from './process-group.ts';
import { type JobEnd, startProcess } from './process.ts';
import { takeResult } from './result-file.ts';
import { ATTEMPT_TAG, OWNER_TAG } from './tags.ts';

/** An attempt has ended, for whatever reason. */
export interface AttemptExit {
  submission: Submission;
  outcome: JobOutcome;
  startedAt: Millis;
  durationMs: number;
  logFile: string;
}

export interface SupervisorOptions {
  hippo: string;
  /** Tells one hippo of one cluster from every other: `<cluster id>/<hippo>`. */
  owner: string;
  /** The project: working directory of the jobs. */
  directory: string;
  sparkSubmit: string | null;
  killGrace: Millis;
  hooks: HookRunner;
  guard: Guard;
  files: AttemptFiles;
  onStarted(submission: Submission, started: { pid: number; logFile: string }): void;
  /** Called once for each submission, but for those that {@link Supervisor.stop} ends. */
  onExit(exit: AttemptExit): void;
}

interface Attempt {
  submission: Submission;
  startedAt: Millis;
  begun: number;
  logFile: string;
  pid: number | null;
  /** Why it is being ended, when it is. */
  ending: { kind: 'cancel'; reason: string } | { kind: 'stop' } | null;
  done: Promise<void>;
}

/**
 * Runs the attempts' processes. Guarantees: every submission ends in exactly one exit, no matter how it fails to start;
 * when an attempt's end is reported, none of its processes is left; nothing here throws or blocks the caller.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #attempts = new Map<string, Attempt>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** The attempts at work, being started or being ended. */
  get running(): string[] {
    return [...this.#attempts.keys()];
  }

  start(submission: Submission): void {
    const { directory } = this.#options;
    const attempt: Attempt = {
      submission,
      startedAt: Date.now(),
      begun: performance.now(),
      logFile: attemptLogPath(directory, submission),
      pid: null,
      ending: null,
      done: Promise.resolve(),
    };
    this.#attempts.set(submission.attemptId, attempt);
    attempt.done = this.#run(attempt).then(
      (outcome) => this.#ended(attempt, outcome),
      (error: unknown) => this.#ended(attempt, failed(messageOf(error))),
    );
  }

  /** @returns false when no such attempt is at work here */
  cancel(attemptId: string, reason: string): boolean {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return false;
    this.#end(attempt, { kind: 'cancel', reason });
    return true;
  }

  /** Ends all attempts, or those given, without reporting their exits. Resolves when none of their processes is left. */
  async stop(attemptIds: readonly string[] = this.running): Promise<void> {
    const stopped = attemptIds.map((id) => this.#attempts.get(id)).filter((attempt) => attempt !== undefined);
    for (const attempt of stopped) this.#end(attempt, { kind: 'stop' });
    await Promise.all(stopped.map(({ done }) => done));
  }

  /** The last resort, for a process that is about to exit: SIGKILL to every group, at once. */
  killNow(): void {
    for (const { pid } of this.#attempts.values()) if (pid !== null) signalGroup(pid, 'SIGKILL');
  }

  async #run(attempt: Attempt): Promise<JobOutcome> {
    const { submission } = attempt;
    const decision = await this.#options.hooks.beforeSubmit(hookRun(this.#options.hippo, submission));
    if ('veto' in decision) return { status: 'vetoed', reason: decision.veto };
    // Cancelled while the hook was thinking: nothing to end.
    if (attempt.ending !== null) return outcomeOf(attempt, null, this.#options);
    const resultFile = this.#resultFile(submission);
    faultPoint('before-spawn');
    const child = startProcess({
      argv: [submission.argv[0] ?? '', ...(decision.args ?? submission.argv.slice(1))],
      cwd: this.#options.directory,
      env: this.#environment(submission, decision, resultFile),
      logFile: attempt.logFile,
      tag: ATTEMPT_TAG,
    });
    faultPoint('after-spawn');
    return this.#await(attempt, child, resultFile);
  }

  async #await(
    attempt: Attempt,
    child: ReturnType<typeof startProcess>,
    resultFile: string,
  ): Promise<JobOutcome> {
    const { guard, files, owner, onStarted } = this.#options;
    const { attemptId } = attempt.submission;
    attempt.pid = child.pid;
    if (child.pid !== null) {
      guard.watch(child.pid);
      await files.write({ attemptId, owner, pid: child.pid });
      onStarted(attempt.submission, { pid: child.pid, logFile: attempt.logFile });
    }
    const end = await child.ended;
    if (child.pid !== null) guard.forget(child.pid);
    files.remove(attemptId);
    faultPoint('after-exit');
    const written = takeResult(resultFile);
    const outcome = outcomeOf(attempt, end, this.#options);
    if (outcome.status !== 'succeeded') return outcome;
    if (!written.ok)
      return failed(`the job ended well, but its $HIPPO_RESULT_FILE is of no use: ${written.why}`, 0);
    return written.result === null ? outcome : { ...outcome, result: written.result };
  }

  #end(attempt: Attempt, ending: NonNullable<Attempt['ending']>): void {
    // A stop overrides: it must not be reported, whatever else was under way.
    if (attempt.ending !== null && ending.kind !== 'stop') return;
    const begun = attempt.ending !== null;
    attempt.ending = ending;
    if (attempt.pid !== null && !begun) void endGroup(attempt.pid, this.#options.killGrace);
  }

  #ended(attempt: Attempt, outcome: JobOutcome): void {
    const { submission, startedAt, begun, logFile } = attempt;
    this.#attempts.delete(submission.attemptId);
    if (attempt.ending?.kind === 'stop') return;
    this.#options.onExit({
      submission,
      outcome,
      startedAt,
      durationMs: Math.round(performance.now() - begun),
      logFile,
    });
  }

  #resultFile(submission: Submission): string {
    const folder = join(this.#options.directory, PROJECT_STATE_DIRECTORY, 'results');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${fileSafe(submission.attemptId).slice(-200)}.json`);
    rmSync(file, { force: true });
    return file;
  }

  #environment(
    submission: Submission,
    decision: Exclude<HookDecision, { veto: string }>,
    resultFile: string,
  ): Record<string, string> {
    const { hippo, owner, sparkSubmit } = this.#options;
    const { window, traceparent } = submission;
    return {
      ...(sparkSubmit === null ? {} : { SPARK_SUBMIT: sparkSubmit }),
      ...submission.env,
      ...decision.env,
      HIPPO_NAME: hippo,
      HIPPO_JOB: submission.job,
      HIPPO_JOB_ID: submission.jobId,
      HIPPO_RUN_KEY: submission.key,
      HIPPO_ATTEMPT: String(submission.attempt),
      HIPPO_WINDOW_START: window === null ? '' : new Date(window.start).toISOString(),
      HIPPO_WINDOW_END: window === null ? '' : new Date(window.end).toISOString(),
      HIPPO_INPUTS: JSON.stringify(submission.inputs),
      HIPPO_TRACEPARENT: traceparent ?? '',
      HIPPO_RESULT_FILE: resultFile,
      [ATTEMPT_TAG]: submission.attemptId,
      [OWNER_TAG]: owner,
    };
  }
}

/** What an ended process means for its run; `end` is null when it was stopped before there was a process. */
function outcomeOf(attempt: Attempt, end: JobEnd | null, options: SupervisorOptions): JobOutcome {
  const { ending, submission, logFile } = attempt;
  if (end?.kind === 'not-started') return failed(end.why);
  // Some programs exit with 0 when they are told to end: that is no success.
  if (end?.exitCode === 0 && ending === null) return { status: 'succeeded' };
  const tail = tailOf(logFile);
  if (ending?.kind === 'cancel') return { status: 'cancelled', reason: withTail(ending.reason, tail) };
  const program = submission.argv[0] ?? options.hippo;
  const how = end?.signal == null ? `exit code ${end?.exitCode ?? 'unknown'}` : `signal ${end.signal}`;
  return failed(withTail(`${program} ended with ${how}`, tail), end?.exitCode ?? null, end?.signal);
}

function failed(error: string, exitCode: number | null = null, signal?: string | null): JobOutcome {
  return { status: 'failed', exitCode, ...(signal == null ? {} : { signal }), error };
}

function withTail(text: string, tail: string): string {
  return tail === '' ? text : `${text}\n${tail}`;
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

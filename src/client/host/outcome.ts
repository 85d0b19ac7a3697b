/** Derives the outcome of an attempt from the end of its process and its applications. Pure. */
import { messageOf } from '../../core/errors.ts';
import type { JobOutcome } from '../machine/types.ts';
import type { ResultFile } from './result-file.ts';
import type { Application } from './yarn/application.ts';

/** How a program ended. */
export interface ProgramEnd {
  program: string;
  exitCode: number | null;
  signal: string | null;
  /** The tail of its log. */
  tail: string;
}

/** The program could not be started, and a further attempt would fail in the same way. */
export class PermanentError extends Error {}

/** The outcome of an attempt that threw `error`. */
export function outcomeOfError(error: unknown): JobOutcome {
  const outcome = failed(messageOf(error));
  return error instanceof PermanentError ? { ...outcome, permanent: true } : outcome;
}

export function failed(
  error: string,
  exitCode: number | null = null,
  signal?: string | null,
): Extract<JobOutcome, { status: 'failed' }> {
  return { status: 'failed', exitCode, ...(typeof signal === 'string' ? { signal } : {}), error };
}

/** Where the job is the process: its exit code decides. */
export function outcomeOfProgram(end: ProgramEnd): JobOutcome {
  if (end.exitCode === 0) return { status: 'succeeded' };
  return failed(withTail(`${end.program} ended with ${howOf(end)}`, end.tail), end.exitCode, end.signal);
}

/**
 * In YARN's cluster mode: the resource manager decides, not the exit code of the process that submitted the job. Only a
 * script
 * that fails of its own accord, after all of its applications have succeeded, is a failure in spite of them.
 *
 * @param end null when the applications of an earlier attempt were taken up
 * @param lostSight whether the spark-submit says that it no longer knew about its application
 */
export function outcomeOnYarn(
  end: ProgramEnd | null,
  applications: readonly Application[],
  lostSight: boolean,
): JobOutcome {
  const tail = end?.tail ?? '';
  const unsuccessful = applications.filter(({ status }) => status !== 'succeeded');
  if (unsuccessful.length > 0) {
    const reports = unsuccessful.map(
      ({ id, report }) => `${id}: ${report} (its log: yarn logs -applicationId ${id})`,
    );
    return failed(withTail(reports.join('; '), tail), end?.exitCode ?? null, end?.signal);
  }
  if (end === null) return { status: 'succeeded' };
  if (applications.length === 0) {
    if (end.exitCode !== 0) return outcomeOfProgram(end);
    const error =
      `${end.program} ended with exit code 0, but no application carries its tags: pass $HIPPO_SPARK_TAGS to ` +
      'spark-submit as spark.yarn.tags, or set SPARK_DEPLOY_MODE=client where a job does not run on YARN';
    return failed(withTail(error, tail), 0);
  }
  if (end.exitCode === 0 || wasKilled(end) || lostSight) return { status: 'succeeded' };
  const names = applications.map(({ id }) => id).join(', ');
  return failed(
    withTail(`${names} succeeded, but ${end.program} ended with ${howOf(end)}`, tail),
    end.exitCode,
  );
}

/** @param required whether a success without a result counts as a failure */
export function withResult(outcome: JobOutcome, written: ResultFile, required: boolean): JobOutcome {
  if (outcome.status !== 'succeeded') return outcome;
  if (!written.ok) {
    return failed(`the job exited with 0, but its $HIPPO_RESULT_FILE cannot be used: ${written.why}`, 0);
  }
  if (written.result !== null) return { ...outcome, result: written.result };
  if (!required) return outcome;
  return failed('exit code 0, but $HIPPO_RESULT_FILE is empty, and the job has result: required', 0);
}

export function withTail(text: string, tail: string): string {
  return tail === '' ? text : `${text}\n${tail}`;
}

/** Ended by a signal. A shell reports that as 128 plus the signal's number. */
function wasKilled({ exitCode, signal }: ProgramEnd): boolean {
  return signal !== null || (exitCode !== null && exitCode > 128);
}

function howOf({ exitCode, signal }: ProgramEnd): string {
  return signal === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`;
}

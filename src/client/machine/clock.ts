/**
 * Corrects the times of open runs when the wall clock jumps. They are stored as epoch milliseconds, so that any owner on any
 * machine can read them, but what counts is the time that passes between them: timeouts, backoffs, durations, patience.
 */
import type { Millis } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { isFiring, isOpen, type Run } from './state.ts';
import { backoff } from './timing.ts';

/** A process starts a little after its attempt is written; a difference up to this is not a clock jump. */
const START_DELAY = 5_000;

/** Shifts all times of open runs by a jump of the wall clock. Windows, and what has ended, keep to the calendar. */
export function shiftTimes(draft: Draft, by: Millis): void {
  const shifted = <Time extends Millis | null>(time: Time): Time =>
    (time === null ? null : time + by) as Time;
  for (const job of draft.definition.jobs.values()) {
    for (const run of draft.openRuns(job)) {
      draft.putRun(job, {
        ...run,
        firstInputAt: shifted(run.firstInputAt),
        startedAt: isFiring(run) ? shifted(run.startedAt) : run.startedAt,
        attemptAt: shifted(run.attemptAt),
        notBefore: shifted(run.notBefore),
      });
    }
  }
  draft.jump(by);
  draft.notice(
    'warning',
    `the clock of this machine went ${by < 0 ? 'back' : 'forward'} by ${formatDuration(Math.abs(by))}, to ` +
      `${draft.definition.calendar.iso(draft.at)}: timeouts and retries count the time that has really passed; windows and messages ` +
      'go by the new time',
  );
}

/** For a running attempt the host's own measurement counts. */
export function correctAttempt(draft: Draft, job: JobDefinition, run: Run, runningFor: Millis): void {
  const attemptAt = draft.at - runningFor;
  if (Math.abs((run.attemptAt ?? 0) - attemptAt) > START_DELAY) draft.putRun(job, { ...run, attemptAt });
}

/**
 * After a takeover: the previous owner's clock may have been ahead of this one, or this one was set back. A wait for the next
 * attempt is not longer than its backoff, and a run has not been opened, nor started, in the future.
 */
export function limitWaits(draft: Draft, job: JobDefinition, id: Run): void {
  const run = draft.run(id);
  if (run === undefined || !isOpen(run)) return;
  const { at } = draft;
  const longest = at + backoff(job, Math.max(1, run.failures));
  const limited = {
    firstInputAt: Math.min(run.firstInputAt, at),
    startedAt: isFiring(run) && run.startedAt !== null ? Math.min(run.startedAt, at) : run.startedAt,
    notBefore: run.notBefore === null ? null : Math.min(run.notBefore, longest),
  };
  const isSame =
    limited.firstInputAt === run.firstInputAt &&
    limited.startedAt === run.startedAt &&
    limited.notBefore === run.notBefore;
  if (!isSame) draft.putRun(job, { ...run, ...limited });
}

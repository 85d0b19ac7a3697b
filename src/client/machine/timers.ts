/** What a tick does: retries, timeouts, deadlines, windows that are given up, and the removal of what is older than `keep`. */
import { formatDuration } from '../../core/duration.ts';
import type { Millis } from '../../core/clock.ts';
import { inputRecordKey } from '../../state/index.ts';
import type { JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { fillPlaces } from './firing.ts';
import { dropOutputs } from './outputs.ts';
import { endLetters, nextLettersEnd } from './letters.ts';
import { alertPauses, nextLongPause } from './paused.ts';
import { missing, stateOf } from './run-words.ts';
import { forgetAlerts } from './alerts.ts';
import { awaitsJudgement, nextExpectation } from './absence.ts';
import { dropReports } from './sources.ts';
import { isOpen, listRuns, type Run } from './state.ts';
import { openTimed, timedWake } from './timed.ts';
import { dueAt, nameOf, slotFor, timesOf } from './timing.ts';

const EXPIRE_EVERY = 3_600_000;

/** Does all that is due, and sets when the next tick is needed. */
export function runTimers(draft: Draft): void {
  const { definition, at } = draft;
  openTimed(draft);
  let wakeAt = timedWake(draft);
  for (const job of definition.jobs.values()) {
    for (const run of draft.openRuns(job)) runTimersOf(draft, job, run);
    fillPlaces(draft, job);
    for (const run of draft.openRuns(job)) wakeAt = Math.min(wakeAt, dueAt(definition, job, run, at));
    wakeAt = Math.min(wakeAt, nextExpectation(draft, job));
  }
  alertPauses(draft);
  endLetters(draft);
  wakeAt = Math.min(wakeAt, nextLongPause(draft), nextLettersEnd(draft));
  const isExpiryDue = draft.state.expireAt <= at;
  if (isExpiryDue) dropExpired(draft);
  // If the clock was set back, the next look would come too late.
  const expireAt = isExpiryDue ? at + EXPIRE_EVERY : Math.min(draft.state.expireAt, at + EXPIRE_EVERY);
  draft.wake({ wakeAt, expireAt });
}

function runTimersOf(draft: Draft, job: JobDefinition, run: Run): void {
  const { at } = draft;
  const { deadline, giveUp, timeout } = timesOf(draft.definition, job, run);
  if (Math.min(deadline, giveUp, timeout) > at) return;
  let next = run;
  if (deadline <= at) {
    next = { ...next, deadlineMissed: true };
    draft.notice('error', `${nameOf(run)} has missed its deadline: it is ${stateOf(job, run)}`, run);
  }
  if (giveUp <= at) {
    const error = `its needs were not complete in time: ${missing(job, run)} did not land`;
    next = { ...next, status: 'timed-out', finishedAt: at, error };
    draft.notice('warning', `${nameOf(run)} timed out: ${error}`, run);
  }
  if (timeout <= at && run.attemptId !== null) {
    const reason = `it ran for longer than its timeout of ${formatDuration(job.policy.timeout ?? 0)}`;
    next = { ...next, stopping: { cause: 'timeout', reason } };
    draft.cancel(run, run.attemptId, reason);
  }
  draft.putRun(job, next);
}

/** Drops runs that ended, and landings that no run needs any more, longer than `keep` ago. */
function dropExpired(draft: Draft): void {
  const { definition, at } = draft;
  for (const source of definition.sources.values()) dropReports(draft, source);
  dropOutputs(draft);
  // A clock that was set years ahead must not make a hippo drop what it has just done.
  const horizon = at - definition.keep - Math.max(0, draft.state.jumped);
  const isOld = (when: Millis | null): boolean => when !== null && when < horizon;
  const inUse = new Set<string>();
  for (const run of [...listRuns(draft.state)]) {
    const job = definition.jobs.get(run.job);
    if (job === undefined) continue;
    if (!isOpen(run) && isOld(run.finishedAt) && !awaitsJudgement(draft, job, run)) {
      draft.dropRun(job, run.key);
      continue;
    }
    const slot = slotFor(definition, job, run);
    for (const need of job.needs)
      inUse.add(inputRecordKey(definition.hippo, job.name, need.id, need.expects(slot)));
  }
  for (const [key, { at: landedAt, neededUntil = landedAt }] of draft.state.landings) {
    if (isOld(neededUntil) && !inUse.has(key)) draft.dropLanding(key);
  }
  forgetAlerts(draft, horizon);
}

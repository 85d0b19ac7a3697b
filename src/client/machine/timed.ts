/**
 * Timed jobs: jobs without needs that run each window at a time after its end. A record of each says up to which time its windows
 * are decided, so that a window runs once, whichever client owns the hippo then.
 */
import type { Millis } from '../../core/clock.ts';
import type { Window } from '../../windows/index.ts';
import type { JobDefinition, Timing } from './definition.ts';
import type { Draft } from './draft.ts';
import { newRun, renewed, settle } from './firing.ts';
import { isOpen, NO_INPUTS, type Run } from './state.ts';

/** After hippo.yaml may have changed: a job that has come to have no time, or is gone, begins anew where it is timed again. */
export function reviewTimed(draft: Draft): void {
  for (const name of draft.state.timed.keys())
    if (draft.definition.jobs.get(name)?.timing === undefined) draft.putTimed({ name }, null);
}

/** Opens the runs of the windows that are due. */
export function openTimed(draft: Draft): void {
  for (const job of draft.definition.jobs.values())
    if (job.timing !== undefined) openDue(draft, job, job.timing);
}

/** When the next run of a timed job is due; Infinity: there is none. */
export function timedWake(draft: Draft): Millis {
  const { calendar, jobs } = draft.definition;
  let wakeAt = Infinity;
  for (const job of jobs.values()) {
    const through = draft.timed(job)?.through;
    if (job.timing === undefined || through === undefined || !calendar.holds(through)) continue;
    wakeAt = Math.min(wakeAt, job.timing.dueAt(calendar.at(job.timing.unit, through)));
  }
  return wakeAt;
}

function openDue(draft: Draft, job: JobDefinition, timing: Timing): void {
  const { at } = draft;
  const known = draft.timed(job);
  // The first window that ends after the first ownership is the first to run.
  if (known === undefined) {
    draft.putTimed(job, { through: at });
    return;
  }
  // The clock was set back. What has run keeps its run, so that it does not run twice.
  const through = Math.min(known.through, at);
  const { windows, decided } = dueWindows(draft, timing, through);
  const wanted = timing.catchUp === 'all' ? windows : windows.slice(-1);
  for (const window of wanted) openRun(draft, job, window);
  if (decided !== known.through) draft.putTimed(job, { through: decided });
}

/** The windows whose time has come, in order, and up to when all are decided then. */
interface Due {
  windows: Window[];
  decided: Millis;
}

/** The windows that end after `through`: of those that ended longer ago than ended runs are remembered, the newest. */
function dueWindows({ definition: { calendar, keep }, at }: Draft, timing: Timing, through: Millis): Due {
  const from = Math.max(through, at - keep);
  if (!calendar.holds(from) || !calendar.holds(at)) return { windows: [], decided: through };
  let window = calendar.at(timing.unit, from);
  if (window.start > through) window = calendar.at(timing.unit, window.start - 1);
  const due: Due = { windows: [], decided: Math.max(through, window.start) };
  while (window.end <= at && timing.dueAt(window) <= at) {
    due.windows.push(window);
    due.decided = window.end;
    window = calendar.at(timing.unit, window.end);
  }
  return due;
}

function openRun(draft: Draft, job: JobDefinition, window: Window): void {
  const id = { job: job.name, key: window.key };
  const run = draft.run(id);
  if (run !== undefined && counts(run, window)) return;
  settle(draft, job, run === undefined ? newRun(id, NO_INPUTS, draft.at) : renewed(run, NO_INPUTS, draft.at));
}

/** One that was asked for by hand and began before the window's end does not count: it may have worked on half of it. */
function counts(run: Run, { end }: Window): boolean {
  if (isOpen(run) || run.manual === undefined || run.manual.marked === true) return true;
  return (run.startedAt ?? run.finishedAt ?? end) >= end;
}

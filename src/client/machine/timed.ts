/**
 * Timed jobs: jobs without needs that run each window at a time after its end. A record of each says up to which time its windows
 * are decided, so that a window runs once, whichever client owns the hippo then.
 */
import type { Millis } from '../../core/clock.ts';
import type { Window } from '../../windows/index.ts';
import type { JobDefinition, Timing } from './definition.ts';
import type { Draft } from './draft.ts';
import { newRun, renewed, settle } from './firing.ts';
import { isOpen, NO_INPUTS } from './state.ts';

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
  const due = dueWindows(draft, timing, through);
  const wanted = timing.catchUp === 'all' ? due : due.slice(-1);
  for (const window of wanted) openRun(draft, job, window);
  const last = due.at(-1)?.end ?? through;
  if (last !== known.through) draft.putTimed(job, { through: last });
}

/** The windows that end after `through`, and whose time has come: not those of longer ago than ended runs are remembered. */
function dueWindows(
  { definition: { calendar, keep }, at }: Draft,
  timing: Timing,
  through: Millis,
): Window[] {
  const from = Math.max(through, at - keep);
  if (!calendar.holds(from) || !calendar.holds(at)) return [];
  const first = calendar.at(timing.unit, calendar.at(timing.unit, from).start - 1);
  return calendar
    .between(timing.unit, first.start, at)
    .filter((window) => window.end > through && timing.dueAt(window) <= at);
}

function openRun(draft: Draft, job: JobDefinition, { key }: Window): void {
  const id = { job: job.name, key };
  const run = draft.run(id);
  // One that an operator has asked for before the window's end does not count: it may have worked on half of it.
  if (run !== undefined && (isOpen(run) || run.manual === undefined)) return;
  settle(draft, job, run === undefined ? newRun(id, NO_INPUTS, draft.at) : renewed(run, NO_INPUTS, draft.at));
}

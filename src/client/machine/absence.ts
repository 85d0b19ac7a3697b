/**
 * Absent windows: those of a job with a deadline for which nothing has landed by then. No run exists that could be late, so the
 * windows themselves are judged: in their order, each once, and only when all has been read that had landed by its deadline.
 */
import { type Millis, isoSecond, epochSeconds } from '../../core/clock.ts';
import type { Window } from '../../windows/index.ts';
import type { WindowUnit } from '../../windows/units.ts';
import { type Cause, commandsOf, raise, resolve } from './alerts.ts';
import { type Definition, expectsWindows, type JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import type { MachineState } from './state.ts';
import { deadlineAfter, nameOf, slotOf } from './timing.ts';

/** After a long time so many windows of a job are judged at once; earlier ones are not. A clock may have been set years ahead. */
const MOST_AT_ONCE = 1_000;
/** Of more absent windows than this the log has a single line. */
const MOST_NAMED = 3;

/** A job whose windows are expected. */
type ExpectingJob = JobDefinition & { unit: WindowUnit };

function isExpecting(job: JobDefinition): job is ExpectingJob {
  return job.unit !== null && expectsWindows(job);
}

/** Whether some window has passed its deadline and is to be judged when all that had landed by `upTo` has been read. */
export function awaitsInputs(definition: Definition, state: MachineState, upTo: Millis): boolean {
  for (const job of definition.jobs.values())
    if (!state.pauses.has(job.name) && deadlineOfNext(definition, state, job) <= upTo) return true;
  return false;
}

/** When the next window that is still to come must have been judged; Infinity: none. */
export function nextExpectation({ definition, state, at }: Draft, job: JobDefinition): Millis {
  const deadline = deadlineOfNext(definition, state, job);
  // One that has passed waits for the inputs to be read, not for a time.
  return deadline > at ? deadline : Infinity;
}

function deadlineOfNext(definition: Definition, state: MachineState, job: JobDefinition): Millis {
  const window = nextWindow(definition, state, job);
  return window === undefined ? Infinity : deadlineAfter(definition, job, window.end);
}

function nextWindow(
  definition: Definition,
  { expected }: MachineState,
  job: JobDefinition,
): Window | undefined {
  const next = isExpecting(job) ? expected.get(job.name)?.next : undefined;
  return next === undefined ? undefined : (slotOf(definition, job, next)?.window ?? undefined);
}

/**
 * After hippo.yaml may have changed, or the clock was set: a job that expects its windows does so from the first one that begins
 * after it is known.
 */
export function reviewExpectations(draft: Draft): void {
  const { definition, at } = draft;
  for (const name of draft.state.expected.keys()) {
    const job = definition.jobs.get(name);
    if (job === undefined || !isExpecting(job)) draft.putExpected(name, null);
  }
  if (!definition.calendar.holds(at)) return;
  for (const job of definition.jobs.values()) {
    if (!isExpecting(job)) continue;
    const present = definition.calendar.at(job.unit, at);
    const next = nextWindow(definition, draft.state, job);
    if (next === undefined || next.start > present.end) {
      draft.putExpected(job.name, { next: beginning(definition, job, at).key });
      resolveFuture(draft, job);
    }
    draft.wakeBy(nextExpectation(draft, job));
  }
}

/** The first window that begins at this time or later. */
function beginning({ calendar }: Definition, { unit }: ExpectingJob, at: Millis): Window {
  const present = calendar.at(unit, at);
  return present.start >= at ? present : calendar.at(unit, present.end);
}

/** The clock was set back: windows that seemed to be absent are still to come. */
function resolveFuture(draft: Draft, job: ExpectingJob): void {
  for (const { condition, subject, runKey, resolvedAt } of draft.state.alerts.values()) {
    if (condition !== 'absent' || subject !== job.name || runKey === undefined || resolvedAt !== undefined)
      continue;
    const window = slotOf(draft.definition, job, runKey)?.window;
    if (window === null || window === undefined || window.end <= draft.at) continue;
    if (draft.run({ job: job.name, key: runKey }) === undefined)
      resolve(draft, { condition, subject, runKey }, 'the clock was set back: the window is not over');
  }
}

/**
 * Judges the windows whose deadline has passed. While a job is paused its windows wait; after it is resumed they are judged by what
 * has landed until then.
 *
 * @param upTo all that had landed by then has been read
 */
export function judgeWindows(draft: Draft, upTo: Millis): void {
  for (const job of draft.definition.jobs.values())
    if (isExpecting(job) && draft.pauseOf(job) === undefined) judgeWindowsOf(draft, job, upTo);
}

function judgeWindowsOf(draft: Draft, job: ExpectingJob, upTo: Millis): void {
  const { definition } = draft;
  const { calendar } = definition;
  let window = nextWindow(definition, draft.state, job);
  if (window === undefined || deadlineAfter(definition, job, window.end) > upTo) return;
  // What was forgotten cannot be told from what has never landed.
  const horizon = upTo - definition.keep;
  if (window.start < horizon && calendar.holds(horizon)) window = beginning(definition, job, horizon);
  const due: Window[] = [];
  while (deadlineAfter(definition, job, window.end) <= upTo) {
    due.push(window);
    if (!calendar.holds(window.end)) break;
    window = calendar.at(job.unit, window.end);
  }
  draft.putExpected(job.name, { next: window.key });
  draft.wakeBy(nextExpectation(draft, job));
  const absent = due
    .slice(-MOST_AT_ONCE)
    .filter(({ key }) => draft.run({ job: job.name, key }) === undefined);
  for (const each of absent) miss(draft, job, each);
  tell(draft, job, absent);
}

function miss(draft: Draft, job: ExpectingJob, { key, end }: Window): void {
  const run = { job: job.name, key };
  const cause: Cause = { condition: 'absent', subject: job.name, runKey: key };
  const deadline = deadlineAfter(draft.definition, job, end);
  raise(draft, {
    ...cause,
    since: deadline,
    text: `nothing has landed for ${nameOf(run)} by its deadline, ${isoSecond(epochSeconds(deadline))}`,
    next: commandsOf(draft.definition.hippo, run),
  });
}

/** The client's log has a line for each, or for all where there are many. */
function tell(draft: Draft, { name: job }: ExpectingJob, absent: readonly Window[]): void {
  const [first, last] = [absent[0], absent.at(-1)];
  if (first === undefined || last === undefined) return;
  if (absent.length > MOST_NAMED) {
    const text = `nothing has landed by their deadlines for ${absent.length} windows of ${job}, from ${first.key} to ${last.key}`;
    draft.notice('error', text);
    return;
  }
  for (const { key } of absent)
    draft.notice('error', `nothing has landed for ${nameOf({ job, key })} by its deadline`, { job, key });
}

/**
 * Absent windows: those of a job with a deadline for which nothing has landed by then. No run exists that could be late, so the
 * windows themselves are judged: in their order, each once, and only when all has been read that had landed by its deadline.
 */
import { type Millis, isoSecond, epochSeconds } from '../../core/clock.ts';
import type { Window } from '../../windows/index.ts';
import type { WindowUnit } from '../../windows/units.ts';
import { type Cause, commandsOf, raise, resolve } from './alerts.ts';
import { type Definition, expectsWindows, type JobDefinition } from './definition.ts';
import type { RunId } from '../../state/index.ts';
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
  return earliestDeadline(definition, state) <= upTo;
}

/** What {@link earliestDeadline} found last: it is asked for in each turn, and changes when a window is judged. */
let known: { of: readonly unknown[]; deadline: Millis } | undefined;

function earliestDeadline(definition: Definition, state: MachineState): Millis {
  const of = [definition, state.expected, state.pauses];
  if (known?.of.every((each, index) => each === of[index]) === true) return known.deadline;
  let deadline = Infinity;
  for (const job of definition.jobs.values())
    if (!state.pauses.has(job.name)) deadline = Math.min(deadline, deadlineOfNext(definition, state, job));
  known = { of, deadline };
  return deadline;
}

/** Whether a run that has ended must be remembered, because its window is still to be judged. */
export function awaitsJudgement(
  { definition, state, at }: Draft,
  job: JobDefinition,
  { key }: RunId,
): boolean {
  const from = isExpecting(job) ? state.expected.get(job.name)?.from : undefined;
  const window = from === undefined ? null : slotOf(definition, job, key)?.window;
  return (
    from !== undefined &&
    window !== null &&
    window !== undefined &&
    window.start >= from &&
    window.start <= at
  );
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
  const next = isExpecting(job) ? expected.get(job.name) : undefined;
  if (!isExpecting(job) || next === undefined || !definition.calendar.holds(next.from)) return undefined;
  return beginning(definition, job, next.from);
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
    expect(draft, job);
    draft.wakeBy(nextExpectation(draft, job));
  }
}

function expect(draft: Draft, job: ExpectingJob): void {
  const { definition, at, state } = draft;
  const present = definition.calendar.at(job.unit, at);
  const before = state.expected.get(job.name);
  const first = beginning(definition, job, at).start;
  if (before === undefined || before.since > present.end) {
    draft.putExpected(job.name, { since: first, from: first });
  } else if (before.from > present.start && before.from > before.since) {
    // The clock was ahead, and windows were judged that are not over.
    draft.putExpected(job.name, { ...before, from: Math.max(before.since, present.start) });
  } else {
    return;
  }
  resolveFuture(draft, job);
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
  // For longer than that no client ran, or the clock was behind: topics may not have the events any more.
  const horizon = upTo - definition.keep;
  if (calendar.holds(horizon)) {
    const oldest = calendar.at(job.unit, horizon);
    if (window.start < oldest.start) window = oldest;
  }
  const due: Window[] = [];
  while (deadlineAfter(definition, job, window.end) <= upTo) {
    due.push(window);
    if (!calendar.holds(window.end)) break;
    window = calendar.at(job.unit, window.end);
  }
  const since = draft.state.expected.get(job.name)?.since ?? window.start;
  draft.putExpected(job.name, { since, from: window.start });
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

import type { Millis } from '../../core/clock.ts';
import { wallClockAfter } from '../../windows/index.ts';
import type { Definition, JobDefinition, Slot } from './definition.ts';
import { isOpen, type Run } from './state.ts';
import type { RunId } from '../../state/index.ts';
import { pauseAfter } from '../../core/backoff.ts';

/** The window of a run; undefined where the key is no window of this job (its `every` was changed). */
export function slotOf(definition: Definition, job: JobDefinition, key: string): Slot | undefined {
  if (job.unit === null) return { key, window: null };
  const window = definition.calendar.ofKey(job.unit, key);
  return window?.key === key ? { key, window } : undefined;
}

/** The window of a run that is part of the state. */
export function slotFor(definition: Definition, job: JobDefinition, { key }: RunId): Slot {
  return slotOf(definition, job, key) ?? { key, window: null };
}

/** When something is to be done about a run; Infinity: never, unless something happens. */
interface RunTimes {
  /** A notice is due: it has not succeeded. */
  deadline: Millis;
  /** Its needs were not complete in time. */
  giveUp: Millis;
  /** Its attempt runs for too long. */
  timeout: Millis;
  /** Its next attempt. */
  retry: Millis;
}

/**
 * A window's patience begins at its end; for what is opened later (a backfill of last year) and for events, it begins
 * when the run is opened.
 */
export function timesOf(definition: Definition, job: JobDefinition, run: Run): RunTimes {
  const { give_up: giveUp = definition.keep, timeout = Infinity } = job.policy;
  const end = slotFor(definition, job, run).window?.end ?? run.firstInputAt;
  const from = Math.max(end, run.firstInputAt);
  const running = run.status === 'running' && run.stopping === undefined;
  return {
    deadline: isOpen(run) && !run.deadlineMissed ? deadlineAfter(definition, job, from) : Infinity,
    giveUp: run.status === 'waiting' ? from + giveUp : Infinity,
    timeout: running && run.attemptAt !== null ? run.attemptAt + timeout : Infinity,
    retry: run.status === 'ready' && run.notBefore !== null ? run.notBefore : Infinity,
  };
}

/** When what begins at this time, e.g. with a window's end, must have succeeded; Infinity: the job has no deadline. */
export function deadlineAfter(
  { calendar }: Definition,
  { policy: { deadline = Infinity } }: JobDefinition,
  from: Millis,
): Millis {
  return typeof deadline === 'number' ? from + deadline : wallClockAfter(calendar, { end: from }, deadline);
}

/** The first of {@link timesOf} that is later than `after`. */
export function dueAt(
  definition: Definition,
  job: JobDefinition,
  run: Run,
  after: Millis = -Infinity,
): Millis {
  if (!isOpen(run)) return Infinity;
  const { deadline, giveUp, timeout, retry } = timesOf(definition, job, run);
  return Math.min(...[deadline, giveUp, timeout, retry].filter((at) => at > after));
}

/** Pause before the attempt that follows this many failures. */
export function backoff(job: JobDefinition, failures: number): Millis {
  const { backoff: first, max_backoff: longest } = job.policy.retries;
  return pauseAfter(failures, { first, most: longest });
}

/** For sentences: `load 2017-04-28`. */
export function nameOf({ job, key }: RunId): string {
  return `${job} ${key}`;
}

/** What becomes of a run whose record is larger than its topic takes. */
import type { JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { end, fillPlaces } from './firing.ts';
import { isOpen, NO_INPUTS, omit, type Run } from './state.ts';
import { nameOf } from './timing.ts';
import type { MachineEvent } from './types.ts';

/** What is kept of an error, characters. */
const ERROR_LENGTH = 300;

/** Ends the run as failed for good; of a run that has ended, or is still too large then, less is kept. */
export function shrink(
  draft: Draft,
  { run: id, error, isStarted }: Extract<MachineEvent, { type: 'record-too-large' }>,
): void {
  const job = draft.definition.jobs.get(id.job);
  const run = draft.run(id);
  if (job === undefined || run === undefined) return;
  if (isBare(run)) forget(draft, job, run, error);
  else if (run.status === 'running' && isStarted) stop(draft, job, run, error);
  else if (isOpen(run)) fail(draft, job, run, error);
  else draft.putRun(job, bare(run));
  fillPlaces(draft, job);
}

/** Its finish message still has what it was started with; its record has not. */
function fail(draft: Draft, job: JobDefinition, run: Run, error: string): void {
  draft.notice('error', `${nameOf(run)} failed: ${error}`, run);
  end(draft, job, { ...run, relanded: NO_INPUTS, permanent: true }, { status: 'failed', error });
  draft.putRun(job, bare(draft.run(run) ?? run));
}

/** It fails when its process has ended. */
function stop(draft: Draft, job: JobDefinition, run: Run, error: string): void {
  draft.notice('error', `${nameOf(run)} is stopped and fails: ${error}`, run);
  draft.putRun(job, {
    ...bare(omit(run, 'error')),
    permanent: true,
    stopping: run.stopping ?? { cause: 'timeout', reason: error },
  });
  if (run.attemptId !== null) draft.cancel(run, run.attemptId, error);
}

function forget(draft: Draft, job: JobDefinition, run: Run, error: string): void {
  draft.notice('error', `run ${nameOf(run)} (${run.status}) is forgotten: ${error}`, run);
  if (run.status === 'running' && run.attemptId !== null) draft.cancel(run, run.attemptId, error);
  draft.dropRun(job, run.key);
}

/** The run without what it can do without. */
function bare(run: Run): Run {
  return {
    ...omit(run, 'held', 'manual', 'error'),
    inputs: NO_INPUTS,
    relanded: NO_INPUTS,
    ...(run.error === undefined ? {} : { error: run.error.slice(0, ERROR_LENGTH) }),
  };
}

function isBare({ inputs, relanded, held, manual, error = '' }: Run): boolean {
  return (
    inputs.isEmpty() &&
    relanded.isEmpty() &&
    held === undefined &&
    manual === undefined &&
    error.length <= ERROR_LENGTH
  );
}

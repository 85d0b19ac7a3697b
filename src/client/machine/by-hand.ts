/** Runs that are asked for by hand: which one is meant, and its start whatever is missing. */
import type { MessageRef } from '../../messages/types.ts';
import type { BuildState } from '../../state/index.ts';
import type { JobDefinition, Slot } from './definition.ts';
import type { Draft } from './draft.ts';
import { newRun, renewed, settle, startOne } from './firing.ts';
import { isFiring, isOpen, type Run } from './state.ts';
import { nameOf } from './timing.ts';

/**
 * Fires the run even if needs are missing or the job is paused; it waits only for a free place.
 *
 * @param build of a builder: what the run is to build
 * @returns why it is not started
 */
export function runByHand(
  draft: Draft,
  job: JobDefinition,
  { key, window }: Slot,
  { manual, build }: { manual: NonNullable<Run['manual']>; build?: BuildState },
): string | undefined {
  const known = draft.run({ job: job.name, key });
  if (known?.status === 'running') return `${nameOf(known)} is running; cancel it first, or wait for its end`;
  if (known !== undefined && isFiring(known)) {
    // Its next attempt, now.
    draft.putRun(job, { ...known, notBefore: null, manual: known.manual ?? manual });
  } else {
    const run = fresh(draft, job, { key, window }, known);
    settle(draft, job, { ...run, manual, ...(build === undefined ? {} : { build }) });
  }
  startOne(draft, job, { job: job.name, key });
  return undefined;
}

/** The run as it is before a firing, with what has landed. */
export function fresh(draft: Draft, job: JobDefinition, slot: Slot, known: Run | undefined): Run {
  const inputs = draft.inputsFor(job, slot);
  if (known === undefined) return newRun({ job: job.name, key: slot.key }, inputs, draft.at);
  return isOpen(known) ? { ...known, inputs } : renewed(known, inputs, draft.at);
}

/** The run that is meant where none is named: that of the present window, one of its own, or the newest. undefined: nothing has landed */
export function slotByHand(draft: Draft, job: JobDefinition, from: MessageRef): Slot | undefined {
  const { definition, at } = draft;
  if (job.unit !== null) {
    const window = definition.calendar.at(job.unit, at);
    return { key: window.key, window };
  }
  // No message names a run of such a job: the request does.
  return job.needs.length === 0 ? ownSlot(draft, from) : newestSlot(draft, job);
}

/** A run that is named by what asks for it. */
export function ownSlot({ definition, at }: Draft, { partition, offset }: MessageRef): Slot {
  return { key: `${definition.calendar.iso(at)}-${partition}-${offset}`, window: null };
}

export function newestSlot(draft: Draft, job: JobDefinition): Slot | undefined {
  const newest = draft
    .runs(job)
    .byKey.valueSeq()
    .maxBy(({ firstInputAt }) => firstInputAt);
  return newest === undefined ? undefined : { key: newest.key, window: null };
}

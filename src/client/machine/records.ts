import type { Json } from '../../core/json.ts';
import { type StateRecord, parseStateKey, parseStateRecord } from '../../state/index.ts';
import type { Definition, JobDefinition } from './definition.ts';
import { emptyState, type MachineState, runsOf, withRun } from './state.ts';
import { dueAt, slotOf } from './timing.ts';

/**
 * The state that these records hold. Records of other hippos and other kinds are passed over; those of jobs that this
 * definition does not have, or of another shape, are left alone and named in {@link MachineState.strays}.
 */
export function restore(
  definition: Definition,
  records: Iterable<readonly [key: string, value: Json]>,
): MachineState {
  let state = emptyState();
  const strays: string[] = [];
  for (const [text, value] of records) {
    const key = parseStateKey(text);
    if (key?.hippo !== definition.hippo || value === null || !('job' in key)) continue;
    const job = definition.jobs.get(key.job);
    const record = parseStateRecord(key, value);
    const next =
      job === undefined || record === undefined
        ? undefined
        : withRecord(definition, state, job, { key: text, record });
    if (next === undefined) strays.push(text);
    else state = next;
  }
  return { ...state, strays };
}

/** The state with one more record; undefined where it does not fit. */
function withRecord(
  definition: Definition,
  state: MachineState,
  job: JobDefinition,
  { key, record }: { key: string; record: StateRecord },
): MachineState | undefined {
  switch (record.kind) {
    case 'run': {
      const { run } = record;
      if (slotOf(definition, job, run.key) === undefined) return undefined;
      const runs = state.runs.set(job.name, withRun(runsOf(state, job.name), run));
      return { ...state, runs, wakeAt: Math.min(state.wakeAt, dueAt(definition, job, run)) };
    }
    case 'input':
      return { ...state, landings: state.landings.set(key, record.input) };
    case 'paused':
      return { ...state, pauses: state.pauses.set(job.name, record.pause) };
    case 'offsets':
    case 'owner':
      return state;
  }
}

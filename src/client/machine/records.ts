import { isJsonObject, type Json } from '../../core/json.ts';
import type { Definition, JobDefinition } from './definition.ts';
import { emptyState, inputKey, type MachineState, runsOf, withRun } from './state.ts';
import { dueAt, slotOf } from './timing.ts';
import type { InputState, Pause, RunId, RunState, RunStatus } from './types.ts';

/** What a key of the state topic speaks of. Hippo and job are names without a slash. */
type RecordKey =
  | { kind: 'run'; hippo: string; job: string; key: string }
  | { kind: 'input'; hippo: string; job: string; /** `<need id>/<value>` */ input: string }
  | { kind: 'paused'; hippo: string; job: string };

export function runRecordKey(hippo: string, { job, key }: RunId): string {
  return `${hippo}/run/${job}/${key}`;
}

export function inputRecordKey(hippo: string, job: string, need: string, value: string): string {
  return `${hippo}/input/${inputKey(job, need, value)}`;
}

export function pauseRecordKey(hippo: string, job: string): string {
  return `${hippo}/paused/${job}`;
}

/** @returns undefined for keys of other kinds, such as a hippo's offsets */
function parseRecordKey(recordKey: string): RecordKey | undefined {
  const [, hippo, kind, job, rest] =
    /^([^/]+)\/(run|input|paused)\/([^/]+)(?:\/(.+))?$/s.exec(recordKey) ?? [];
  if (hippo === undefined || job === undefined) return undefined;
  if (kind === 'paused') return rest === undefined ? { kind, hippo, job } : undefined;
  if (rest === undefined) return undefined;
  return kind === 'run' ? { kind, hippo, job, key: rest } : { kind: 'input', hippo, job, input: rest };
}

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
  for (const [recordKey, value] of records) {
    const key = parseRecordKey(recordKey);
    if (key?.hippo !== definition.hippo || value === null) continue;
    const job = definition.jobs.get(key.job);
    const next = job === undefined ? undefined : withRecord(definition, state, job, key, value);
    if (next === undefined) strays.push(recordKey);
    else state = next;
  }
  return { ...state, strays };
}

/** The state with one more record; undefined where it does not fit. */
function withRecord(
  definition: Definition,
  state: MachineState,
  job: JobDefinition,
  key: RecordKey,
  value: Json,
): MachineState | undefined {
  switch (key.kind) {
    case 'run': {
      if (!isRun(value) || value.job !== job.name || value.key !== key.key) return undefined;
      if (slotOf(definition, job, value.key) === undefined) return undefined;
      const runs = state.runs.set(job.name, withRun(runsOf(state, job.name), value));
      return { ...state, runs, wakeAt: Math.min(state.wakeAt, dueAt(definition, job, value)) };
    }
    case 'input': {
      if (!isInput(value) || !key.input.startsWith(`${value.need}/`)) return undefined;
      return { ...state, inputs: state.inputs.set(`${job.name}/${key.input}`, value) };
    }
    case 'paused':
      return isPause(value) ? { ...state, pauses: state.pauses.set(job.name, value) } : undefined;
  }
}

const STATUSES: readonly string[] = [
  'waiting',
  'ready',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
] satisfies RunStatus[];

function isRun(value: unknown): value is RunState {
  return (
    isJsonObject(value) &&
    typeof value['job'] === 'string' &&
    typeof value['key'] === 'string' &&
    typeof value['status'] === 'string' &&
    STATUSES.includes(value['status']) &&
    (value['jobId'] === null || typeof value['jobId'] === 'string') &&
    (value['attemptId'] === null || typeof value['attemptId'] === 'string') &&
    ['attempt', 'failures', 'firstInputAt'].every((name) => typeof value[name] === 'number') &&
    [value['inputs'], value['relanded']].every(
      (inputs) => isJsonObject(inputs) && Object.values(inputs).every(isInput),
    )
  );
}

function isInput(value: unknown): value is InputState {
  return (
    isJsonObject(value) &&
    ['topic', 'offset', 'need'].every((name) => typeof value[name] === 'string') &&
    ['partition', 'version', 'at'].every((name) => typeof value[name] === 'number') &&
    isJsonObject(value['values'])
  );
}

function isPause(value: unknown): value is Pause {
  return isJsonObject(value) && typeof value['at'] === 'number';
}

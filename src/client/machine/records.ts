import { Map as PersistentMap } from 'immutable';
import type { Json } from '../../core/json.ts';
import {
  NO_ANNOUNCEMENTS,
  RunParts,
  type RunState,
  type SourceState,
  type StateKey,
  type StateRecord,
  type StateValue,
  formatStateKey,
  parseStateKey,
  parseStateRecord,
} from '../../state/index.ts';
import type { Definition, JobDefinition } from './definition.ts';
import { runRecords } from './run-records.ts';
import { emptyState, listRuns, type MachineState, NEW_SOURCE, type Run, runsOf, withRun } from './state.ts';
import { dueAt, slotOf } from './timing.ts';
import { withStoredAlert } from './alerts.ts';

/**
 * The state that these records hold. Records of other hippos and other kinds are skipped; those of jobs that this
 * definition does not have, or of another shape, are left alone and named in {@link MachineState.strays}.
 */
export function restore(
  definition: Definition,
  records: Iterable<readonly [key: string, value: StateValue]>,
): MachineState {
  let state = emptyState();
  const strays: string[] = [];
  const parts = new RunParts();
  const runs: Known<'run'>[] = [];
  for (const [text, value] of records) {
    const key = parseStateKey(text);
    if (key?.hippo !== definition.hippo || value === null) continue;
    const record = parseStateRecord(key, value);
    if (record?.kind === 'alert') state = withStoredAlert(state, record.alert, record.state);
    if (record?.kind === 'service')
      state = { ...state, services: state.services.set(record.service, record.state) };
    if (record?.kind === 'model') state = { ...state, models: state.models.set(record.model, record.state) };
    if (record?.kind === 'produced') {
      // Also of a job that is gone: another one may produce the same partitions now.
      const known = state.outputs.get(record.job) ?? NO_ANNOUNCEMENTS;
      const outputs = state.outputs.set(record.job, known.set(record.bucket, record.announced));
      state = { ...state, outputs };
      continue;
    }
    if (record?.kind === 'expected') {
      state = { ...state, expected: state.expected.set(record.job, record.expected) };
      continue;
    }
    if (record?.kind === 'timed') {
      state = { ...state, timed: state.timed.set(record.job, record.state) };
      continue;
    }
    if (record?.kind === 'last-result') {
      state = { ...state, lastResults: state.lastResults.set(record.job, record.last) };
      continue;
    }
    const source = sourceOf(definition, key);
    if (source !== undefined && record !== undefined) state = withSourceRecord(state, source, record);
    if (source !== undefined || !('job' in key)) continue;
    const job = definition.jobs.get(key.job);
    if (job === undefined || record === undefined) strays.push(text);
    // Runs come last: their inputs may have records of their own.
    if (record?.kind === 'run') runs.push({ key: text, job, record });
    else if (record?.kind === 'run-input') parts.add(record);
    else if (job !== undefined && (record?.kind === 'input' || record?.kind === 'paused'))
      state = withRecord(state, job, { key: text, record });
  }
  let gone = state.gone;
  for (const { key, job, record } of runs) {
    const run = parts.whole(definition.hippo, record.run);
    if (job !== undefined && slotOf(definition, job, run.key) !== undefined) {
      state = withStoredRun(definition, state, job, run);
      continue;
    }
    if (job !== undefined) strays.push(key);
    gone = gone.set(key, asRun(run));
  }
  return { ...state, strays, gone };
}

/** All records of a state, but for those that {@link restore} has left alone: `restore` makes of them the state again. */
export function* recordsOf(
  { hippo }: Definition,
  state: MachineState,
): Generator<readonly [key: string, value: StateValue]> {
  for (const run of listRuns(state)) {
    const records = runRecords(hippo, { id: run, before: undefined, after: run, added: new Map() });
    for (const { key, value } of records) yield [key, value];
  }
  // States are plain data: what goes into a record is what the state holds.
  for (const [key, input] of state.landings) yield [key, input as unknown as Json];
  for (const [job, pause] of state.pauses)
    yield [formatStateKey({ kind: 'paused', hippo, job }), pause as unknown as Json];
  for (const [job, known] of state.expected)
    yield [formatStateKey({ kind: 'expected', hippo, job }), known as unknown as Json];
  for (const [alert, known] of state.alerts)
    yield [formatStateKey({ kind: 'alert', hippo, alert }), known as unknown as Json];
  for (const [job, { through }] of state.timed)
    yield [formatStateKey({ kind: 'timed', hippo, job }), { through }];
  for (const [job, last] of state.lastResults)
    yield [formatStateKey({ kind: 'last-result', hippo, job }), last as unknown as Json];
  for (const [service, known] of state.services)
    yield [formatStateKey({ kind: 'service', hippo, service }), known as unknown as Json];
  for (const [model, known] of state.models)
    yield [formatStateKey({ kind: 'model', hippo, model }), known as unknown as Json];
  for (const [job, buckets] of state.outputs)
    for (const [bucket, bytes] of buckets)
      yield [formatStateKey({ kind: 'produced', hippo, job, bucket }), bytes];
  for (const [source, { announcements, isListed, watermark, lastScan }] of state.sources) {
    const known: SourceState = {
      isListed,
      ...(watermark === undefined ? {} : { watermark }),
      ...(lastScan === undefined ? {} : { lastScan }),
    };
    // A service has announcements, and no scans.
    if (isListed || watermark !== undefined || lastScan !== undefined)
      yield [formatStateKey({ kind: 'source', hippo, source }), known as unknown as Json];
    for (const [bucket, bytes] of announcements)
      yield [formatStateKey({ kind: 'announced', hippo, source, bucket }), bytes];
  }
}

/** The source, or service, that a record is of, whether hippo.yaml still has it or not; undefined: it is of none. */
function sourceOf(definition: Definition, key: StateKey): string | undefined {
  if (key.kind === 'source' || key.kind === 'announced') return key.source;
  const isOfNone =
    key.kind !== 'paused' || !(definition.sources.has(key.job) || definition.services.has(key.job));
  return isOfNone ? undefined : key.job;
}

function withSourceRecord(state: MachineState, name: string, record: StateRecord): MachineState {
  if (record.kind === 'paused') return { ...state, pauses: state.pauses.set(name, record.pause) };
  const known = state.sources.get(name) ?? NEW_SOURCE;
  if (record.kind === 'source')
    return { ...state, sources: state.sources.set(name, { ...known, ...record.state }) };
  if (record.kind !== 'announced') return state;
  const announcements = known.announcements.set(record.bucket, record.announced);
  return { ...state, sources: state.sources.set(name, { ...known, announcements }) };
}

interface Known<Kind extends StateRecord['kind']> {
  key: string;
  /** undefined: hippo.yaml does not have it. */
  job: JobDefinition | undefined;
  record: Extract<StateRecord, { kind: Kind }>;
}

function asRun({ inputs, relanded, ...stored }: RunState): Run {
  return { ...stored, inputs: PersistentMap(inputs), relanded: PersistentMap(relanded) };
}

function withStoredRun(
  definition: Definition,
  state: MachineState,
  job: JobDefinition,
  stored: RunState,
): MachineState {
  const run = asRun(stored);
  const runs = state.runs.set(job.name, withRun(runsOf(state, job.name), run));
  return { ...state, runs, wakeAt: Math.min(state.wakeAt, dueAt(definition, job, run)) };
}

/** The state with one more record. */
function withRecord(
  state: MachineState,
  job: JobDefinition,
  { key, record }: { key: string; record: Extract<StateRecord, { kind: 'input' | 'paused' }> },
): MachineState {
  switch (record.kind) {
    case 'input':
      return { ...state, landings: state.landings.set(key, record.input) };
    case 'paused':
      return { ...state, pauses: state.pauses.set(job.name, record.pause) };
  }
}

/** The records that a run's change comes to: its own, and those of its inputs where it has many. */
import type { Json } from '../../core/json.ts';
import {
  type RunId,
  type RunInput,
  type RunState,
  formatStateKey,
  runInputRecordKey,
} from '../../state/index.ts';
import { type Inputs, NO_INPUTS, type Run } from './state.ts';

/** What a record becomes; null: it is removed. */
export interface RecordChange {
  key: string;
  value: Json | null;
}

/** Where inputs come from: those of before, to which one was added. */
export interface Added {
  to: Inputs;
  need: string;
}

export interface RunChange {
  id: RunId;
  /** As the topic has it; undefined: it was not there. */
  before: Run | undefined;
  /** undefined: it is forgotten. */
  after: Run | undefined;
  added: ReadonlyMap<Inputs, Added>;
}

export function runRecords(hippo: string, { id, before, after, added }: RunChange): RecordChange[] {
  if (before === undefined && after === undefined) return [];
  const key = formatStateKey({ kind: 'run', hippo, ...id });
  const [old, now] = [partsOf(before), partsOf(after)];
  const needs = new Set([
    ...changed(old.inputs, now.inputs, added),
    ...changed(old.relanded, now.relanded, added),
  ]);
  const parts = [...needs].map((need): RecordChange => ({
    key: runInputRecordKey(hippo, id, need),
    value: partFor(id, need, now),
  }));
  return [{ key, value: after === undefined ? null : runToJson(after) }, ...parts];
}

type Parts = Pick<Run, 'inputs' | 'relanded'>;

/** What has records of its own. */
function partsOf(run: Run | undefined): Parts {
  return run?.apart === true ? run : { inputs: NO_INPUTS, relanded: NO_INPUTS };
}

function partFor({ key }: RunId, need: string, { inputs, relanded }: Parts): Json {
  const [landed, again] = [inputs.get(need), relanded.get(need)];
  if (landed === undefined && again === undefined) return null;
  const part: RunInput = {
    key,
    ...(landed === undefined ? {} : { landed }),
    ...(again === undefined ? {} : { relanded: again }),
  };
  return part as unknown as Json;
}

/** The needs of which the two differ. What was added one by one is followed back, instead of comparing all. */
function changed(before: Inputs, after: Inputs, added: ReadonlyMap<Inputs, Added>): string[] {
  const needs: string[] = [];
  for (let inputs = after; inputs !== before;) {
    const last = added.get(inputs);
    if (last === undefined) return different(before, after);
    needs.push(last.need);
    inputs = last.to;
  }
  return needs;
}

function different(before: Inputs, after: Inputs): string[] {
  return [
    ...[...after].filter(([need, input]) => before.get(need) !== input).map(([need]) => need),
    ...[...before.keys()].filter((need) => !after.has(need)),
  ];
}

function runToJson({ inputs, relanded, ...run }: Run): Json {
  const whole: RunState = {
    ...run,
    inputs: run.apart === true ? {} : inputs.toObject(),
    relanded: run.apart === true ? {} : relanded.toObject(),
  };
  return whole as unknown as Json;
}

/**
 * The client's state machine, pure: `step(definition, state, event) → { state, effects }`.
 *
 * - Time comes only from events, identity only from their content: the same events give the same effects.
 * - Whoever does not own the hippo does not act: without ownership every event but `ownership-gained` is ignored. Deliver
 *   messages again from the offsets that belong to the restored state.
 * - State is the sum of its records; a step's `persist` effects are the difference. `restore` of all records gives a
 *   state that behaves as the one that wrote them.
 */
import type { Millis } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import type { CalendarConfig, JobConfig } from '../../config/schema.ts';
import type { Definition } from './definition.ts';
import type { MachineState } from './state.ts';
import type { Effect, MachineEvent } from './types.ts';

export type * from './types.ts';
export type { Definition, JobDefinition, Need } from './definition.ts';
export type { MachineState } from './state.ts';
export { findRun, listPauses, listRuns } from './state.ts';

export interface CompileInput {
  hippo: string;
  jobs: Readonly<Record<string, JobConfig>>;
  calendar: CalendarConfig;
  /** `client.keep`, milliseconds; left out: 62 days. */
  keep?: Millis;
}

export interface CompileProblem {
  /** Inside hippo.yaml, e.g. `['jobs', 'load', 'needs', 0, 'partition', 'yyyymm']`. */
  path: (string | number)[];
  message: string;
  allowed?: string;
}

export type Compiled = { ok: true; definition: Definition } | { ok: false; problems: CompileProblem[] };

export interface Step {
  state: MachineState;
  /** In the order in which they must be carried out: records and messages, then processes, then alerts. */
  effects: Effect[];
}

/** Checks what the schema cannot (templates, needs that name no run) and prepares the jobs. */
export declare function compileJobs(input: CompileInput): Compiled;
export declare function emptyState(definition: Definition): MachineState;
/** The state that these records of the state topic hold; records of other hippos and unknown kinds are left out. */
export declare function restore(
  definition: Definition,
  records: Iterable<readonly [key: string, value: Json]>,
): MachineState;
export declare function step(definition: Definition, state: MachineState, event: MachineEvent): Step;
/** When the next `tick` is due, epoch ms; null: none is. */
export declare function nextWake(state: MachineState): Millis | null;

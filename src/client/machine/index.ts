/**
 * The client's state machine, pure: `step(definition, state, event) → { state, effects }`.
 *
 * - Time comes only from events, identity only from their content: the same events give the same effects.
 * - Only the owner acts: without ownership every event but `ownership-gained` is ignored. After it, deliver messages again
 *   from the offsets that belong to the restored state.
 * - State is the sum of its records; a step's `persist` effects are the difference. `restore` of all records gives a
 *   state that behaves as the one that wrote them.
 */
export type * from './types.ts';
export {
  type CompileInput,
  type CompileProblem,
  type Compiled,
  compileJobs,
  hasConditions,
} from './compile.ts';
export {
  type AlertsDefinition,
  type Definition,
  type JobDefinition,
  type ModelDefinition,
  type Need,
  type SourceDefinition,
  inOrder,
} from './definition.ts';
export { awaitsInputs } from './absence.ts';
export { type Missing, missingNeeds } from './missing.ts';
export { recordsOf, restore } from './records.ts';
export {
  type MachineState,
  type Run,
  emptyState,
  findRun,
  hasWork,
  listOpenRuns,
  listPauses,
  listRuns,
  nextWake,
} from './state.ts';
export { type Step, step } from './step.ts';
export { isAttemptOf } from './submission.ts';
export { buildProblem, findVersion } from './versions.ts';

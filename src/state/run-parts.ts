import { formatStateKey } from './keys.ts';
import type { StateRecord } from './records.ts';
import type { InputState, RunInput, RunState } from './types.ts';

/** The inputs of runs that have records of their own, put together again with their runs. */
export class RunParts {
  /** By the key of the run's record, then by need. */
  readonly #runs = new Map<string, Map<string, RunInput>>();

  add({ hippo, job, need, part }: Extract<StateRecord, { kind: 'run-input' }>): void {
    const id = formatStateKey({ kind: 'run', hippo, job, key: part.key });
    const known = this.#runs.get(id) ?? new Map<string, RunInput>();
    this.#runs.set(id, known.set(need, part));
  }

  /** The run with all of its inputs. */
  whole(hippo: string, run: RunState): RunState {
    if (run.apart === undefined) return run;
    const { job, key } = run;
    const parts = [...(this.#runs.get(formatStateKey({ kind: 'run', hippo, job, key })) ?? [])];
    const those = (name: 'landed' | 'relanded'): Record<string, InputState> =>
      Object.fromEntries(
        parts.flatMap(([need, { [name]: input }]) => (input === undefined ? [] : [[need, input]])),
      );
    return { ...run, inputs: those('landed'), relanded: those('relanded') };
  }
}

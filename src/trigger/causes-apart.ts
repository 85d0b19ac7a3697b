import type { RecordRef } from '../core/record-ref.ts';
import { type StateKey, type StateRecord, formatStateKey } from '../state/index.ts';

/** What one need of a run has. */
interface Part {
  need: string;
  landed: RecordRef | undefined;
  relanded: RecordRef | undefined;
}

/** What has landed for runs with many needs, whose inputs have records of their own. */
export class CausesApart {
  /** By the key of the run's record, then by the key of the part's own. */
  readonly #runs = new Map<string, Map<string, Part>>();
  /** By the key of a part's record: the key of the run's. */
  readonly #runOf = new Map<string, string>();

  /** @returns the key of the run's record, and the message that has landed for it */
  take(
    key: StateKey,
    { hippo, job, need, part }: Extract<StateRecord, { kind: 'run-input' }>,
  ): { run: string; landed: RecordRef | undefined } {
    const id = formatStateKey(key);
    const run = formatStateKey({ kind: 'run', hippo, job, key: part.key });
    const { landed, relanded } = part;
    const parts = this.#runs.get(run) ?? new Map<string, Part>();
    this.#runs.set(run, parts.set(id, { need, landed, relanded }));
    this.#runOf.set(id, run);
    return { run, landed };
  }

  delete(key: StateKey): void {
    const id = formatStateKey(key);
    this.#runs.get(this.#runOf.get(id) ?? '')?.delete(id);
    this.#runOf.delete(id);
  }

  /** The messages that the run was started with, or would be. */
  landed(run: string): RecordRef[] {
    return this.#parts(run).flatMap(({ landed }) => landed ?? []);
  }

  /** The needs that they satisfy. */
  needs(run: string): string[] {
    return this.#parts(run).flatMap(({ need, landed }) => (landed === undefined ? [] : [need]));
  }

  /** These, and what has landed again since. */
  all(run: string): RecordRef[] {
    return this.#parts(run).flatMap(({ landed, relanded }) => [landed ?? [], relanded ?? []].flat());
  }

  #parts(run: string): Part[] {
    return [...(this.#runs.get(run)?.values() ?? [])];
  }
}

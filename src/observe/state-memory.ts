/** What an observer keeps of the state topic: the latest record of each key, as little of it as a snapshot needs. */
import type { Millis } from '../core/clock.ts';
import { type RecordRef, RecordSet } from '../core/record-ref.ts';
import { FORGETTER, type Positions, RunParts, type StateRecord } from '../state/index.ts';
import { type StateEntry, inputsOfSucceeded, recordOfEntry } from '../state/reader.ts';
import type { KnownRun, PausedJob, Snapshot } from './snapshot.ts';

/** What the hippos' state says. */
export interface KnownState extends Pick<
  Snapshot,
  'runs' | 'succeeded' | 'withRuns' | 'paused' | 'landed' | 'jobs' | 'forgotten'
> {
  /** By hippo: the next offsets that its state reflects. */
  positions: ReadonlyMap<string, Positions>;
}

/** Of other kinds nothing is needed. */
const KINDS: ReadonlySet<StateEntry['key']['kind']> = new Set([
  'run',
  'input',
  'run-input',
  'paused',
  'offsets',
  'owner',
]);

/** References to records, packed: a hundred thousands of them take a few megabytes. */
class Packer {
  readonly #topics: Pick<RecordRef, 'topic' | 'topicId'>[] = [];
  readonly #numbers = new Map<string, number>();

  pack(refs: readonly RecordRef[]): string {
    return refs.map((ref) => `${this.#numberOf(ref)} ${ref.partition} ${ref.offset}`).join('\n');
  }

  unpack(packed: string, into: RecordSet): void {
    if (packed === '') return;
    for (const line of packed.split('\n')) {
      const [number = '', partition = '', offset = ''] = line.split(' ');
      const topic = this.#topics[Number(number)];
      if (topic !== undefined) into.add({ ...topic, partition: Number(partition), offset });
    }
  }

  #numberOf({ topic, topicId }: RecordRef): number {
    const id = `${topic}/${topicId ?? ''}`;
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#topics.push({ topic, ...(topicId === undefined ? {} : { topicId }) }) - 1;
    this.#numbers.set(id, number);
    return number;
  }
}

export class StateMemory {
  /**
   * Since the last look, by the records' keys. A succeeded run is packed at once. All else is not decoded, since a later record of
   * the same key may replace it.
   */
  readonly #fresh = new Map<string, StateEntry | string>();
  readonly #records = new Map<string, StateRecord>();
  /** Of runs that have succeeded and are not held: their inputs, packed, by the keys of their records. */
  readonly #succeeded = new Map<string, string>();
  /** What jobs remember as landed, packed, by the keys of the records. */
  readonly #landings = new Map<string, string>();
  readonly #packer = new Packer();
  /** By hippo: when its owner's record was removed. */
  readonly #removed = new Map<string, Millis>();
  #known: KnownState | undefined;

  take(entry: StateEntry): void {
    const { key, id, value } = entry;
    if (!KINDS.has(key.kind)) return;
    const inputs = inputsOfSucceeded(entry);
    if (inputs !== undefined) this.#fresh.set(id, this.#packer.pack(inputs));
    // A copy: the bytes of a record are a part of all that was fetched with it.
    else this.#fresh.set(id, { ...entry, value: value === null ? null : Buffer.from(value) });
  }

  clear(): void {
    this.#fresh.clear();
    this.#records.clear();
    this.#succeeded.clear();
    this.#landings.clear();
    this.#removed.clear();
    this.#known = undefined;
  }

  look(): KnownState {
    if (this.#known !== undefined && this.#fresh.size === 0) return this.#known;
    for (const [id, entry] of this.#fresh) this.#keep(id, entry);
    this.#fresh.clear();
    return (this.#known = this.#state());
  }

  #keep(id: string, entry: StateEntry | string): void {
    this.#records.delete(id);
    this.#succeeded.delete(id);
    this.#landings.delete(id);
    if (typeof entry === 'string') {
      this.#succeeded.set(id, entry);
      return;
    }
    const record = recordOfEntry(entry);
    if (record?.kind === 'input') this.#landings.set(id, this.#packer.pack([record.input]));
    else if (record !== undefined) this.#records.set(id, record);
    const { key, value, at } = entry;
    if (key.kind !== 'owner') return;
    if (value === null) this.#removed.set(key.hippo, at);
    else this.#removed.delete(key.hippo);
  }

  #state(): KnownState {
    const runs: KnownRun[] = [];
    const parts = new RunParts();
    const paused: PausedJob[] = [];
    const landed = new RecordSet();
    const positions = new Map<string, Positions>();
    const jobs = new Map<string, Readonly<Record<string, string>>>();
    const forgotten = new Map(this.#removed);
    for (const record of this.#records.values()) {
      switch (record.kind) {
        case 'run':
          runs.push({ hippo: record.hippo, run: record.run });
          for (const input of Object.values(record.run.inputs)) landed.add(input);
          break;
        case 'run-input':
          parts.add(record);
          if (record.part.landed !== undefined) landed.add(record.part.landed);
          break;
        case 'paused':
          paused.push({ hippo: record.hippo, job: record.job, ...record.pause });
          break;
        case 'offsets':
          positions.set(record.hippo, record.positions);
          break;
        case 'owner':
          if (record.owner.jobs !== undefined) jobs.set(record.hippo, record.owner.jobs);
          if (record.owner.client === FORGETTER) forgotten.set(record.hippo, Date.parse(record.owner.since));
          break;
        case 'input':
        case 'last-result':
        case 'source':
        case 'service':
        case 'model':
        case 'announced':
        case 'produced':
        case 'alert':
        case 'expected':
        case 'timed':
          break;
      }
    }
    for (const packed of this.#landings.values()) this.#packer.unpack(packed, landed);
    const withRuns = new Set(runs.map(({ hippo }) => hippo));
    const succeeded = new Set<string>();
    for (const [id, packed] of this.#succeeded) {
      this.#packer.unpack(packed, landed);
      const hippo = id.slice(0, id.indexOf('/'));
      withRuns.add(hippo);
      if (!jobs.has(hippo)) succeeded.add(id);
    }
    return {
      runs: runs.map(({ hippo, run }) => ({ hippo, run: parts.whole(hippo, run) })),
      succeeded,
      withRuns,
      paused,
      landed,
      jobs,
      forgotten,
      positions,
    };
  }
}

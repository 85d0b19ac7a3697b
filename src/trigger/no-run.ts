/** Why hippos that have read an event do not run because of it, as far as their state says so. */
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { within } from '../core/deadline.ts';
import { type RecordRef, recordId } from '../core/record-ref.ts';
import type { Kafka } from '../kafka/port.ts';
import {
  type FrontierEvent,
  type Partition,
  parseFrontier,
  partitionPath,
  partitionValues,
} from '../messages/index.ts';
import { type InputState, type RunState, RunParts, type StateRecord } from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';
import type { PlannedEvent } from './publish.ts';

/** Why one job does not run because of one event. */
export interface NoRun {
  hippo: string;
  job: string;
  /** `btd.party` */
  table: string;
  /** `yyyymm=201704`; empty for an unpartitioned table. */
  partition_path: string;
  /** Of the event, epoch seconds. */
  exec_date: number;
  /**
   * `not-newer`: a landing with the same or a later exec_date is known. `re-landing`: its run has ended, and the job's policy is
   * `on_reland: ignore`. `kept`: it is remembered, and no run waits for it.
   */
  reason: 'not-newer' | 're-landing' | 'kept';
  /** The landing that is known. */
  landing: RecordRef & { exec_date: number };
  /** The run that has it as an input; null: none is known. */
  run: { run_key: string; status: string; /** ISO 8601. */ finished_at: string | null } | null;
}

export interface PublishedMessage {
  event: PlannedEvent;
  ref: RecordRef;
}

/** More are not looked for. */
const MOST = 1_000;
/** How long the search may take, milliseconds: it only explains. */
const PATIENCE = 10_000;

/** Finds what the state of the hippos says of these events. Empty if that takes too long. */
export async function whyNoRun(
  kafka: Kafka,
  config: Config,
  published: readonly PublishedMessage[],
): Promise<NoRun[]> {
  const state = new FleetState(published.slice(0, MOST));
  const reading = readState(kafka, topicName(config, 'state'), (entry) => state.take(entry)).catch(
    () => null,
  );
  await within(reading, { millis: PATIENCE, late: () => null });
  return state.explain();
}

type InputRecord = Extract<StateRecord, { kind: 'input' }>;

class FleetState {
  /** By table, in lower case: Hive and Spark ignore case in names of tables. */
  readonly #events = new Map<string, { message: FrontierEvent; ref: RecordRef }[]>();
  /** Landings of these tables. */
  readonly #inputs = new Map<string, InputRecord>();
  /** Not decoded: few of them are needed. */
  readonly #runs = new Map<string, StateEntry>();
  readonly #parts = new Map<string, StateEntry>();

  constructor(published: readonly PublishedMessage[]) {
    for (const { event, ref } of published) {
      const { value } = event.record;
      const parsed = value === null ? undefined : parseFrontier(Buffer.from(value));
      if (parsed?.ok !== true) continue;
      const { message } = parsed;
      const table = `${message.db}.${message.table}`.toLowerCase();
      this.#events.set(table, [...(this.#events.get(table) ?? []), { message, ref }]);
    }
  }

  take(entry: StateEntry): void {
    if (entry.key.kind === 'run') put(this.#runs, entry);
    else if (entry.key.kind === 'run-input') put(this.#parts, entry);
    else if (entry.key.kind === 'input') {
      const record = recordOfEntry(entry);
      if (record?.kind === 'input' && this.#events.has(tableOf(record.input)))
        this.#inputs.set(entry.id, record);
      else this.#inputs.delete(entry.id);
    }
  }

  explain(): NoRun[] {
    const byJob = Map.groupBy(this.#inputs.values(), ({ hippo, job }) => `${hippo}/${job}`);
    return [...byJob.values()].flatMap((records) => {
      const [first] = records;
      if (first === undefined) return [];
      const { hippo, job } = first;
      const runs = this.#runsOf(hippo, job);
      const inputs = records.map(({ input }) => input);
      return [...this.#events].flatMap(([table, events]) => {
        const known = inputs.filter((input) => tableOf(input) === table);
        return events.flatMap(({ message, ref }) =>
          message.partitions.flatMap((partition) => {
            const found = explainOne({ message, ref, partition }, known, runs);
            return found === undefined ? [] : [{ hippo, job, ...found }];
          }),
        );
      });
    });
  }

  #runsOf(hippo: string, job: string): RunState[] {
    const isOf = ({ key }: StateEntry): boolean => key.hippo === hippo && 'job' in key && key.job === job;
    const parts = new RunParts();
    for (const entry of this.#parts.values()) {
      const record = isOf(entry) ? recordOfEntry(entry) : undefined;
      if (record?.kind === 'run-input') parts.add(record);
    }
    return [...this.#runs.values()].filter(isOf).flatMap((entry) => {
      const record = recordOfEntry(entry);
      return record?.kind === 'run' ? [parts.whole(hippo, record.run)] : [];
    });
  }
}

function put(entries: Map<string, StateEntry>, entry: StateEntry): void {
  if (entry.value === null) entries.delete(entry.id);
  else entries.set(entry.id, entry);
}

/** `btd.party{region=us}`, `btd.party#2` → `btd.party` */
function tableOf({ need }: InputState): string {
  return need.replace(/[{#].*$/, '').toLowerCase();
}

interface Landed {
  message: FrontierEvent;
  ref: RecordRef;
  partition: Partition;
}

function explainOne(
  { message, ref, partition }: Landed,
  known: readonly InputState[],
  runs: readonly RunState[],
): Omit<NoRun, 'hippo' | 'job'> | undefined {
  const values = partitionValues(partition);
  const [landing] = known
    .filter((input) => input.version >= message.execDate && isSame(input.values, values))
    // Without a date in its partition a table lands in the window of its exec_date: the nearest landing is of the same window.
    .sort((a, b) => a.version - b.version);
  if (landing === undefined) return undefined;
  const isItself = recordId(landing) === recordId(ref);
  const run = runs.find(({ inputs }) => {
    const input = inputs[landing.need];
    return (
      input !== undefined && (isItself ? isSame(input.values, values) : recordId(input) === recordId(landing))
    );
  });
  // What waits for further inputs, or runs, is said elsewhere.
  if (isItself && run !== undefined && !hasEnded(run)) return undefined;
  return {
    table: `${message.db}.${message.table}`,
    partition_path: partitionPath(partition),
    exec_date: message.execDate,
    reason: !isItself ? 'not-newer' : run === undefined ? 'kept' : 're-landing',
    landing: {
      topic: landing.topic,
      partition: landing.partition,
      offset: landing.offset,
      exec_date: landing.version,
    },
    run:
      run === undefined
        ? null
        : {
            run_key: run.key,
            status: run.status,
            finished_at:
              hasEnded(run) && run.finishedAt !== null ? new Date(run.finishedAt).toISOString() : null,
          },
  };
}

function hasEnded({ status }: RunState): boolean {
  return status !== 'waiting' && status !== 'ready' && status !== 'running';
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const fold = (values: Readonly<Record<string, string>>): string =>
    JSON.stringify(
      Object.entries(values)
        .map(([name, value]) => [name.toLowerCase(), value])
        .sort(),
    );
  return fold(one) === fold(other);
}

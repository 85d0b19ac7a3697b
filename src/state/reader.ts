/** Reads the state topic. A hippo's own client reads its part in another way: see client/host/state-topic. */
import type { Millis } from '../core/clock.ts';
import { fieldReader } from '../core/json-fields.ts';
import { type RecordRef, isRecordRef } from '../core/record-ref.ts';
import type { Kafka, KafkaRecord } from '../kafka/port.ts';
import { existingTopics } from '../kafka/look-up.ts';
import { readUntilNow } from '../kafka/read-until-now.ts';
// Not of ./index.ts: who only reads needs no persistent maps, and they take long to load.
import { type StateKey, keyFilter, parseStateKey } from './keys.ts';
import { type StateRecord, decodeStateValue, parseStateRecord } from './records.ts';

/** A record of the state topic. Its value is not decoded: most readers want a few kinds only. */
export interface StateEntry {
  key: StateKey;
  /** The key as it is in the topic: of two entries with the same, the later one counts. */
  id: string;
  partition: number;
  /** null is a tombstone. */
  value: Buffer | null;
  /** The record's timestamp, epoch milliseconds. */
  at: Millis;
}

/** @returns undefined for a record that is of no hippo */
export function stateEntry({
  key: bytes,
  partition,
  value,
  timestamp: at,
}: KafkaRecord): StateEntry | undefined {
  const id = bytes?.toString() ?? '';
  const key = parseStateKey(id);
  return key === undefined ? undefined : { key, id, partition, value, at };
}

/** @returns undefined where the entry says nothing: see {@link parseStateRecord} */
export function recordOfEntry({ key, value }: StateEntry): StateRecord | undefined {
  return value === null ? undefined : parseStateRecord(key, decodeStateValue(key, value));
}

const readFields = fieldReader(['status', 'held', 'inputs']);

/**
 * What a run was started with that has succeeded and is not held. Most runs have, and readers of all hippos need no more of those:
 * so their records are not decoded.
 *
 * @returns undefined where the run has another status, or the entry is of something else
 */
export function inputsOfSucceeded({ key, value }: StateEntry): RecordRef[] | undefined {
  if (key.kind !== 'run' || value === null) return undefined;
  const { status, held, inputs } = readFields?.(value) ?? {};
  if (status !== 'succeeded' || held !== undefined || typeof inputs !== 'object' || inputs === null)
    return undefined;
  const refs: unknown[] = Object.values(inputs);
  return refs.every(isRecordRef) ? refs : undefined;
}

/**
 * Reads the state topic from its beginning to its present end, within a partition in the order of offsets. Entries that
 * later ones replace come too, as long as the broker has not compacted them. A topic that does not exist has no entries.
 *
 * @param hippo only its entries come; left out: those of all hippos
 */
export async function readState(
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  onEntry: (entry: StateEntry) => void,
  hippo?: string,
): Promise<void> {
  const isWanted = hippo === undefined ? undefined : keyFilter(hippo);
  if (!(await existingTopics(kafka, [topic])).has(topic)) return;
  await readUntilNow(kafka, topic, null, (record) => {
    if (isWanted?.(record.key) === false) return;
    const entry = stateEntry(record);
    if (entry !== undefined) onEntry(entry);
  });
}

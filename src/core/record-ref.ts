import { isJsonObject } from './json.ts';

/** Names one record of Kafka. This is its form in JSON, in messages and in state; src/kafka has offsets as `bigint`. */
export interface RecordRef {
  topic: string;
  /** Kafka's id of the topic: a topic that is made again under its old name has another one. Left out where it is not known. */
  topicId?: string;
  partition: number;
  /** 64 bit, so decimal text: a JSON number would lose its last digits. */
  offset: string;
}

/** A record reference as src/kafka has it. */
interface BigIntRef {
  topic: string;
  topicId?: string | undefined;
  partition: number;
  offset: bigint;
}

/** From Kafka's form to JSON's; further properties, such as a record's value, are left out. */
export function recordRef({ topic, topicId, partition, offset }: BigIntRef): RecordRef {
  return { topic, ...(topicId === undefined ? {} : { topicId }), partition, offset: formatOffset(offset) };
}

/** Whether two ids may be those of one topic: an id that is not known may be any. For topics of one name. */
export function isSameTopic(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** Whether both name one record, as far as they know the topic's id. */
export function isSameRecord(one: RecordRef, other: RecordRef): boolean {
  return recordId(one) === recordId(other) && isSameTopic(one.topicId, other.topicId);
}

/** A set of records. A reference that does not know the topic's id stands for the record of whichever topic has the name. */
export class RecordSet {
  /** By topic, the id that is known of it, and partition. Offsets are numbers as far as these hold them: a set may have millions. */
  readonly #topics = new Map<string, Map<string | undefined, Map<number, Set<number | string>>>>();

  constructor(refs: Iterable<RecordRef> = []) {
    for (const ref of refs) this.add(ref);
  }

  add({ topic, topicId, partition, offset }: RecordRef): void {
    const ids = inMap(
      this.#topics,
      topic,
      () => new Map<string | undefined, Map<number, Set<number | string>>>(),
    );
    const partitions = inMap(ids, topicId, () => new Map<number, Set<number | string>>());
    inMap(partitions, partition, () => new Set<number | string>()).add(compactOffset(offset));
  }

  has({ topic, topicId, partition, offset }: RecordRef): boolean {
    const wanted = compactOffset(offset);
    for (const [id, partitions] of this.#topics.get(topic) ?? [])
      if (isSameTopic(id, topicId) && partitions.get(partition)?.has(wanted) === true) return true;
    return false;
  }
}

function inMap<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function compactOffset(offset: string): number | string {
  const number = Number(offset);
  return Number.isSafeInteger(number) ? number : offset;
}

/** Whether JSON is a record reference; it may have further fields. */
export function isRecordRef(value: unknown): value is RecordRef {
  return (
    isJsonObject(value) &&
    typeof value['topic'] === 'string' &&
    (value['topicId'] === undefined || typeof value['topicId'] === 'string') &&
    Number.isSafeInteger(value['partition']) &&
    parseOffset(value['offset']) !== undefined
  );
}

/** The offset of a record reference, as Kafka has it. */
export function offsetOf({ offset }: Pick<RecordRef, 'offset'>): bigint {
  return BigInt(offset);
}

/** An offset as JSON has it. */
export function formatOffset(offset: bigint): string {
  return offset.toString();
}

const LARGEST_OFFSET = 2n ** 63n - 1n;

/** An offset as {@link formatOffset} writes it; undefined for all else, and for what is larger than any offset. */
export function parseOffset(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) return undefined;
  const offset = BigInt(value);
  return offset <= LARGEST_OFFSET ? offset : undefined;
}

/** `frontier-adw 3:2`, for people: `hippo tail frontier-adw --from 3:2` shows the record. */
export function formatRecordRef({ topic, partition, offset }: RecordRef): string {
  return `${topic} ${partition}:${offset}`;
}

/** `frontier-adw/3/2`: equal for two references to the same record. Headers and results have it, so the form is fixed. */
export function recordId({ topic, partition, offset }: RecordRef): string {
  return `${topic}/${partition}/${offset}`;
}

/** Reads what {@link recordId} writes; undefined for all else. */
export function parseRecordId(text: string): RecordRef | undefined {
  const [, topic, partition, offset] = /^([^/]+)\/(\d{1,9})\/(\d{1,19})$/.exec(text) ?? [];
  return topic === undefined || offset === undefined
    ? undefined
    : { topic, partition: Number(partition), offset };
}

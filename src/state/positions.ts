/** Input positions: of each partition the next offset to be read. */
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import { formatOffset, parseOffset } from '../core/record-ref.ts';
import type { TopicPartitionOffset } from '../kafka/port.ts';

/** topic → partition → next offset. */
export type Positions = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/** The value of the record `<hippo>/offsets`. */
export function positionsToJson(positions: Positions): Json {
  return Object.fromEntries(
    [...positions].map(([topic, partitions]) => [
      topic,
      Object.fromEntries([...partitions].map(([partition, next]) => [String(partition), formatOffset(next)])),
    ]),
  );
}

/** What is not of that form is left out: that partition is read again, and the machine ignores duplicates. */
export function positionsFromJson(value: JsonObject): Positions {
  return new Map(Object.entries(value).map(([topic, partitions]) => [topic, partitionsFromJson(partitions)]));
}

function partitionsFromJson(value: Json): Map<number, bigint> {
  const positions = new Map<number, bigint>();
  for (const [partition, text] of Object.entries(isJsonObject(value) ? value : {})) {
    const next = parseOffset(text);
    if (/^\d+$/.test(partition) && next !== undefined) positions.set(Number(partition), next);
  }
  return positions;
}

export function withPosition(
  positions: Positions,
  { topic, partition, offset }: TopicPartitionOffset,
): Positions {
  return new Map(positions).set(topic, new Map(positions.get(topic)).set(partition, offset));
}

export function listPositions(positions: Positions): TopicPartitionOffset[] {
  return [...positions].flatMap(([topic, partitions]) =>
    [...partitions].map(([partition, offset]) => ({ topic, partition, offset })),
  );
}

export function samePositions(one: Positions, other: Positions): boolean {
  const all = listPositions(one);
  return (
    all.length === listPositions(other).length &&
    all.every(({ topic, partition, offset }) => other.get(topic)?.get(partition) === offset)
  );
}

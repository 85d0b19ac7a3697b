/** Input positions: of each partition the next offset to be read, and which topic it is an offset of. */
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import { formatOffset, isSameTopic, parseOffset } from '../core/record-ref.ts';
import type { TopicPartition, TopicPartitionOffset } from '../kafka/port.ts';

/** Partition → next offset; and the id of the topic, left out where it is not known. */
export type TopicPositions = ReadonlyMap<number, bigint> & { readonly topicId?: string };

/** By the topic's name. */
export type Positions = ReadonlyMap<string, TopicPositions>;

function topicPositions(
  topicId: string | undefined,
  offsets: Iterable<readonly [number, bigint]>,
): TopicPositions {
  return Object.assign(new Map(offsets), topicId === undefined ? {} : { topicId });
}

/** The value of the record `<hippo>/offsets`. */
export function positionsToJson(positions: Positions): Json {
  return Object.fromEntries(
    [...positions].map(([topic, offsets]) => [
      topic,
      {
        ...(offsets.topicId === undefined ? {} : { topicId: offsets.topicId }),
        next: Object.fromEntries(
          [...offsets].map(([partition, next]) => [String(partition), formatOffset(next)]),
        ),
      },
    ]),
  );
}

/** What is not of that form is left out: that partition is read again, and the machine ignores duplicates. */
export function positionsFromJson(value: JsonObject): Positions {
  return new Map(Object.entries(value).map(([topic, of]) => [topic, topicPositionsFromJson(of)]));
}

function topicPositionsFromJson(value: Json): TopicPositions {
  const { topicId, next = null }: JsonObject = isJsonObject(value) ? value : {};
  const offsets: [number, bigint][] = [];
  for (const [partition, text] of Object.entries(isJsonObject(next) ? next : {})) {
    const offset = parseOffset(text);
    if (/^\d+$/.test(partition) && offset !== undefined) offsets.push([Number(partition), offset]);
  }
  return topicPositions(typeof topicId === 'string' ? topicId : undefined, offsets);
}

/** @returns undefined where there is no position, and where the one that there is belongs to another topic of that name */
export function nextOffset(
  positions: Positions,
  { topic, topicId, partition }: TopicPartition & { topicId?: string | undefined },
): bigint | undefined {
  const offsets = positions.get(topic);
  return isSameTopic(offsets?.topicId, topicId) ? offsets?.get(partition) : undefined;
}

/** Positions of another topic of that name are left out: they say nothing of this one. */
export function withPosition(
  positions: Positions,
  { topic, topicId, partition, offset }: TopicPartitionOffset,
): Positions {
  const known = positions.get(topic);
  const offsets = new Map(isSameTopic(known?.topicId, topicId) ? known : []).set(partition, offset);
  return new Map(positions).set(topic, topicPositions(topicId ?? known?.topicId, offsets));
}

export function listPositions(positions: Positions): TopicPartitionOffset[] {
  return [...positions].flatMap(([topic, offsets]) =>
    [...offsets].map(([partition, offset]) => ({
      topic,
      ...(offsets.topicId === undefined ? {} : { topicId: offsets.topicId }),
      partition,
      offset,
    })),
  );
}

export function samePositions(one: Positions, other: Positions): boolean {
  const all = listPositions(one);
  return (
    all.length === listPositions(other).length &&
    all.every((position) => nextOffset(other, position) === position.offset) &&
    [...one].every(([topic, { topicId }]) => other.get(topic)?.topicId === topicId)
  );
}

/** Input positions: of each partition the next offset to be read, and which topic it is an offset of. */
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import type { Millis } from '../core/clock.ts';
import { formatOffset, isSameTopic, parseOffset } from '../core/record-ref.ts';
import type { TopicPartition, TopicPartitionOffset } from '../kafka/port.ts';

/** Partition → next offset; and the id of the topic, left out where it is not known. */
export type TopicPositions = ReadonlyMap<number, bigint> & {
  readonly topicId?: string;
  /**
   * When the hippo began to read the topic at its end, if some partitions could not be read then. Those have no position yet:
   * they are read from what was written since.
   */
  readonly since?: Millis;
};

/** By the topic's name. */
export type Positions = ReadonlyMap<string, TopicPositions>;

function topicPositions(
  offsets: Iterable<readonly [number, bigint]>,
  { topicId, since }: { topicId: string | undefined; since: Millis | undefined },
): TopicPositions {
  return Object.assign(
    new Map(offsets),
    topicId === undefined ? {} : { topicId },
    since === undefined ? {} : { since },
  );
}

/** The value of the record `<hippo>/offsets`. */
export function positionsToJson(positions: Positions): Json {
  return Object.fromEntries(
    [...positions].map(([topic, offsets]) => [
      topic,
      {
        ...(offsets.topicId === undefined ? {} : { topicId: offsets.topicId }),
        ...(offsets.since === undefined ? {} : { since: offsets.since }),
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
  const { topicId, since, next = null }: JsonObject = isJsonObject(value) ? value : {};
  const offsets: [number, bigint][] = [];
  for (const [partition, text] of Object.entries(isJsonObject(next) ? next : {})) {
    const offset = parseOffset(text);
    if (/^\d+$/.test(partition) && offset !== undefined) offsets.push([Number(partition), offset]);
  }
  return topicPositions(offsets, {
    topicId: typeof topicId === 'string' ? topicId : undefined,
    since: typeof since === 'number' ? since : undefined,
  });
}

/** @returns undefined where there is no position, and where the one that there is belongs to another topic of that name */
export function nextOffset(
  positions: Positions,
  { topic, topicId, partition }: TopicPartition & { topicId?: string | undefined },
): bigint | undefined {
  const offsets = positions.get(topic);
  return isSameTopic(offsets?.topicId, topicId) ? offsets?.get(partition) : undefined;
}

/**
 * Positions of another topic of that name are left out: they say nothing of this one.
 *
 * @returns the same positions where they have it already: each record of a batch tells the same end of its partition
 */
export function withPosition(
  positions: Positions,
  { topic, topicId, partition, offset }: TopicPartitionOffset,
): Positions {
  const known = positions.get(topic);
  const isSame = isSameTopic(known?.topicId, topicId);
  const isKnown = isSame && known?.get(partition) === offset;
  if (isKnown && (topicId === undefined || topicId === known.topicId)) return positions;
  const offsets = new Map(isSame ? known : []).set(partition, offset);
  const ofTopic = { topicId: topicId ?? known?.topicId, since: isSame ? known?.since : undefined };
  return new Map(positions).set(topic, topicPositions(offsets, ofTopic));
}

interface Topic {
  topic: string;
  topicId?: string | undefined;
}

/** @returns {@link TopicPositions.since}, unless it is another topic's of that name */
export function sinceOf(positions: Positions, { topic, topicId }: Topic): Millis | undefined {
  const known = positions.get(topic);
  return isSameTopic(known?.topicId, topicId) ? known?.since : undefined;
}

/** @param since undefined: all partitions have positions */
export function withSince(
  positions: Positions,
  { topic, topicId }: Topic,
  since: Millis | undefined,
): Positions {
  const known = positions.get(topic);
  if (known?.since === since) return positions;
  const offsets = isSameTopic(known?.topicId, topicId) ? (known ?? []) : [];
  return new Map(positions).set(
    topic,
    topicPositions(offsets, { topicId: topicId ?? known?.topicId, since }),
  );
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
    [...one, ...other].every(([topic]) => {
      const [ofOne, ofOther] = [one.get(topic), other.get(topic)];
      return ofOne?.topicId === ofOther?.topicId && ofOne?.since === ofOther?.since;
    })
  );
}

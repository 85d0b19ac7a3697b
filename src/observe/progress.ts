import { groupName, identityOf } from '../config/groups.ts';
import type { Config } from '../config/schema.ts';
import { inputRoles, topicName } from '../config/topics.ts';
import { DeniedError } from '../kafka/failures.ts';
import type { GroupInfo, Kafka, OffsetRange } from '../kafka/port.ts';
import { type Positions, nextOffset } from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';

/** How far a hippo has read one partition of its inputs. */
export interface InputProgress extends OffsetRange {
  topic: string;
  /** The next offset to read, by the hippo's state or, if it has none, as its group has committed; undefined without both. */
  next: bigint | undefined;
}

/**
 * The consumer group of one hippo, and its progress in each partition of its inputs. A topic that does not exist has none.
 *
 * The state decides: a committed offset waits for the runs that have not finished, for example those of a paused job, and
 * may be far behind what the client has read.
 */
export async function inputProgress(
  kafka: Pick<
    Kafka,
    'topics' | 'lookUp' | 'offsets' | 'offsetsAt' | 'reader' | 'committed' | 'describeGroup'
  >,
  config: Config,
  hippo: string,
): Promise<{ info: GroupInfo; inputs: InputProgress[] }> {
  const group = groupName(identityOf(config, hippo));
  const present = new Map((await kafka.topics()).map(({ topic, topicId }) => [topic, topicId]));
  const topics = inputRoles(config)
    .map((role) => topicName(config, role))
    .filter((topic) => present.has(topic));
  // In this order: the ends are never behind the offsets that are compared with them.
  const [info, committed, positions] = await Promise.all([
    kafka.describeGroup(group),
    kafka.committed(group, topics),
    positionsOf(kafka, topicName(config, 'state'), hippo),
  ]);
  const committedOf = new Map(
    committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
  );
  const perTopic = await Promise.all(
    topics.map(async (topic) =>
      (await kafka.offsets(topic)).map((range) => {
        const { partition } = range;
        const next = positions.has(topic)
          ? nextOffset(positions, { topic, topicId: present.get(topic), partition })
          : committedOf.get(`${topic}/${partition}`);
        return { topic, ...range, next };
      }),
    ),
  );
  return { info, inputs: perTopic.flat() };
}

/** The positions in the hippo's state; none where it has no state, and where this user may not read the state topic. */
async function positionsOf(
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  hippo: string,
): Promise<Positions> {
  let positions: Positions = new Map();
  try {
    const take = (entry: StateEntry): void => {
      if (entry.key.kind !== 'offsets') return;
      const record = recordOfEntry(entry);
      positions = record?.kind === 'offsets' ? record.positions : new Map();
    };
    await readState(kafka, topic, take, hippo);
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
  }
  return positions;
}

import { groupName, identityOf } from '../config/groups.ts';
import type { Config } from '../config/schema.ts';
import { topicName } from '../config/topics.ts';
import type { GroupInfo, Kafka, OffsetRange } from '../kafka/port.ts';

/** How far a hippo has read one partition of its inputs. */
export interface InputProgress extends OffsetRange {
  topic: string;
  /** The next offset to read; undefined if none was committed. */
  committed: bigint | undefined;
}

/** The roles of the topics that a client reads. */
const INPUTS = ['frontier', 'finish', 'schedule'] as const;

/** The consumer group of one hippo, and its progress in each partition of its inputs. A topic that does not exist has none. */
export async function inputProgress(
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'committed' | 'describeGroup'>,
  config: Config,
  hippo: string,
): Promise<{ info: GroupInfo; inputs: InputProgress[] }> {
  const group = groupName(identityOf(config, hippo));
  const present = new Set((await kafka.topics()).map(({ topic }) => topic));
  const topics = INPUTS.map((role) => topicName(config, role)).filter((topic) => present.has(topic));
  // In this order: the ends are never behind the offsets that are compared with them.
  const [info, committed] = await Promise.all([kafka.describeGroup(group), kafka.committed(group, topics)]);
  const nextOf = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  const perTopic = await Promise.all(
    topics.map(async (topic) =>
      (await kafka.offsets(topic)).map((range) => ({
        topic,
        ...range,
        committed: nextOf.get(`${topic}/${range.partition}`),
      })),
    ),
  );
  return { info, inputs: perTopic.flat() };
}

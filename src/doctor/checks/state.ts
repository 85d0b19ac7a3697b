import { lostStateCommands } from '../../client/host/lost-state.ts';
import { groupName, identityOf } from '../../config/groups.ts';
import { inputRoles, topicName } from '../../config/topics.ts';
import type { Config } from '../../config/schema.ts';
import type { Kafka } from '../../kafka/port.ts';
import { partitionForKey } from '../../kafka/partitioner.ts';
import { isWholeState } from '../../state/index.ts';
import { type StateEntry, readState } from '../../state/reader.ts';
import { type Check, type Diagnosis, type Finding, error, ok, skipped, warning } from '../check.ts';
import { aboutHippo } from './hippo.ts';

/** This hippo's state: in which partition of the state topic it is, and whether it is all there. */
export const state: Check = {
  id: 'state',
  title: 'State',
  category: 'kafka',
  about: "this hippo's state: its partition, and whether it is whole",
  run: aboutHippo(
    'hippo.yaml has no jobs and no sources: there is no state to look for',
    (kafka, { loaded, hippo }) => examine(kafka, loaded.config, hippo),
  ),
};

async function examine(kafka: Kafka, config: Config, hippo: string): Promise<Diagnosis> {
  const topic = topicName(config, 'state');
  const [info] = await kafka.topics([topic]);
  if (info === undefined) return skipped(`${topic} does not exist`);
  const partitions = info.partitions.length;
  const places = await placesOf(kafka, topic, hippo);
  const [found] = places.filter(({ isWhole }) => isWhole);
  if (found === undefined) return withoutState(kafka, config, { hippo, topic, partitions, places });
  const home = partitionForKey(hippo, partitions);
  const where = `${topic}[${found.partition}] of ${partitions} partitions has the state of ${hippo}: ${count(found.records)}`;
  const why =
    found.partition === home
      ? ''
      : `. A new hippo of this name would use [${home}]: the state stayed when partitions were added, and each takeover looks for it in all of them`;
  const others = places.filter(({ partition }) => partition !== found.partition);
  return {
    summary: `partition ${found.partition} of ${partitions}`,
    findings: [ok(`${where}${why}`), ...others.map((other) => leftOver(topic, other))],
  };
}

interface Searched {
  hippo: string;
  topic: string;
  partitions: number;
  places: readonly StatePlace[];
}

async function withoutState(
  kafka: Kafka,
  config: Config,
  { hippo, topic, partitions, places }: Searched,
): Promise<Diagnosis> {
  const remedy = { commands: lostStateCommands(hippo) };
  const refuses = 'its client refuses to start';
  const [part] = places;
  if (part !== undefined) {
    const text = `${topic}[${part.partition}] has ${count(part.records)} of ${hippo}, but not those that every state has: ${refuses}`;
    return { summary: 'incomplete', findings: [error(text, remedy)] };
  }
  const group = groupName(identityOf(config, hippo));
  const inputs = inputRoles(config).map((role) => topicName(config, role));
  if ((await kafka.committed(group, inputs)).length > 0) {
    const text = `none of the ${partitions} partitions of ${topic} has the state of ${hippo}, but group ${group} has committed offsets: ${refuses}`;
    return { summary: 'lost', findings: [error(text, remedy)] };
  }
  const text = `${hippo} has not run yet: none of the ${partitions} partitions of ${topic} has its state`;
  return { summary: 'none yet', findings: [ok(text)] };
}

function leftOver(topic: string, { partition, records }: StatePlace): Finding {
  return warning(`${topic}[${partition}] has ${count(records)} of it, too, which no client uses`);
}

function count(records: number): string {
  return `${records} ${records === 1 ? 'record' : 'records'}`;
}

/** What one partition of the state topic has of a hippo. */
interface StatePlace {
  partition: number;
  records: number;
  isWhole: boolean;
}

/** The partitions that have records of the hippo, in their order. */
async function placesOf(kafka: Kafka, topic: string, hippo: string): Promise<StatePlace[]> {
  const live = new Map<number, Map<string, StateEntry['key']['kind']>>();
  const take = ({ key, id, partition, value }: StateEntry): void => {
    if (key.kind === 'probe') return;
    const records = live.get(partition) ?? new Map<string, StateEntry['key']['kind']>();
    live.set(partition, records);
    if (value === null) records.delete(id);
    else records.set(id, key.kind);
  };
  await readState(kafka, topic, take, hippo);
  return [...live]
    .map(([partition, records]) => {
      const kinds = new Set(records.values());
      const isWhole = isWholeState({ owner: kinds.has('owner'), offsets: kinds.has('offsets') });
      // The record of an owner that has not written anything yet is no state.
      const isBare = kinds.size === 1 && kinds.has('owner');
      return { partition, records: isBare ? 0 : records.size, isWhole };
    })
    .filter(({ records }) => records > 0)
    .sort((one, other) => one.partition - other.partition);
}

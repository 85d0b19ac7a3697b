import { UserError } from '../core/errors.ts';
import type { Millis } from '../core/clock.ts';
import { topicName } from '../config/topics.ts';
import { recordId, recordRef } from '../core/record-ref.ts';
import type { Config } from '../config/schema.ts';
import { groupName, identityOf } from '../config/groups.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { Kafka, TopicPartitionOffset } from '../kafka/port.ts';
import { readUntilNow } from '../kafka/read-until-now.ts';
import type { Positions } from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';
import {
  type Parsed,
  type ServiceHealth,
  parseFinish,
  parseFrontier,
  parseHealth,
  parseSchedule,
  parseStart,
} from '../messages/index.ts';
import { type Found, type HippoGroup, type KnownRun, type PausedJob, type Snapshot } from './snapshot.ts';

export interface ObserveOptions {
  now: Millis;
  /** How far back events, starts, finishes, requests and health are read. */
  since: Millis;
}

/**
 * Reads what the topics and the groups say now. Bounded: the state topic is read whole, the others from `since` to
 * their present end; no consumer group is made. A topic that is not there counts as empty.
 */
export async function observe(
  kafka: Kafka,
  config: Config,
  { now, since }: ObserveOptions,
): Promise<Snapshot> {
  const present = new Set((await kafka.topics()).map(({ topic }) => topic));
  requireTopics(present, config);
  let unreadable = 0;
  const messages = async <Message>(
    role: 'frontier' | 'start' | 'finish' | 'schedule' | 'health',
    parse: (input: Uint8Array) => Parsed<Message>,
  ): Promise<Found<Message>[]> => {
    const topic = topicName(config, role);
    const found: Found<Message>[] = [];
    if (!present.has(topic)) return found;
    await readUntilNow(kafka, topic, since, (record) => {
      const parsed = record.value === null ? undefined : parse(record.value);
      if (parsed?.ok === true)
        found.push({ message: parsed.message, ref: recordRef(record), at: record.timestamp });
      else unreadable += 1;
    });
    return found.sort((a, b) => a.at - b.at);
  };
  const state = topicName(config, 'state');
  const frontier = topicName(config, 'frontier');
  const [events, starts, finishes, requests, health, { positions, ...memory }, groups] = await Promise.all([
    messages('frontier', parseFrontier),
    messages('start', parseStart),
    messages('finish', parseFinish),
    messages('schedule', parseSchedule),
    messages('health', parseHealth),
    readMemory(kafka, state),
    hippoGroups(kafka, config, present),
  ]);
  return {
    now,
    since,
    ...memory,
    events,
    starts,
    finishes,
    requests,
    health: new Map<string, Found<ServiceHealth>>(health.map((sign) => [sign.message.serviceName, sign])),
    groups: [...groups, ...withoutGroup(positions, groups, config)].map(({ hippo, info, committed }) => ({
      hippo,
      info,
      read: further(committed, positions.get(hippo) ?? new Map(), frontier),
    })),
    unreadable,
  };
}

/** Where none of them is there, that nothing is stuck would be no comfort. */
function requireTopics(present: ReadonlySet<string>, config: Config): void {
  const topics = (['frontier', 'start', 'finish', 'state'] as const).map((role) => topicName(config, role));
  if (topics.some((topic) => present.has(topic))) return;
  throw new UserError('none of the hippo topics exists here', {
    why: `Looked for ${topics.join(', ')} (topics in hippo.yaml).`,
    next: ['hippo up', 'hippo config topics'],
  });
}

/** A group's committed offsets wait for its unfinished runs; its state tells what has been read. */
function further(committed: readonly TopicPartitionOffset[], known: Positions, topic: string): Positions {
  const next = new Map(known.get(topic));
  for (const { partition, offset } of committed)
    if (offset > (next.get(partition) ?? -1n)) next.set(partition, offset);
  return new Map([[topic, next]]);
}

interface Memory extends Pick<Snapshot, 'runs' | 'paused' | 'landed'> {
  /** By hippo: the next offsets that its state reflects. */
  positions: ReadonlyMap<string, Positions>;
}

async function readMemory(kafka: Kafka, topic: string): Promise<Memory> {
  const latest = new Map<string, StateEntry>();
  await readState(kafka, topic, (entry) => latest.set(entry.id, entry));
  const runs: KnownRun[] = [];
  const paused: PausedJob[] = [];
  const landed = new Set<string>();
  const positions = new Map<string, Positions>();
  for (const entry of latest.values()) {
    const record = recordOfEntry(entry);
    switch (record?.kind) {
      case 'run':
        runs.push({ hippo: record.hippo, run: record.run });
        for (const input of Object.values(record.run.inputs)) landed.add(recordId(input));
        break;
      case 'input':
        landed.add(recordId(record.input));
        break;
      case 'paused':
        paused.push({ hippo: record.hippo, job: record.job, ...record.pause });
        break;
      case 'offsets':
        positions.set(record.hippo, record.positions);
        break;
      case 'owner':
      case undefined:
    }
  }
  return { runs, paused, landed, positions };
}

/** The brokers forget a group that has been without members for long (offsets.retention.minutes). */
function withoutGroup(
  known: Memory['positions'],
  groups: readonly { hippo: string }[],
  config: Config,
): FoundGroup[] {
  const present = new Set(groups.map(({ hippo }) => hippo));
  return [...known.keys()]
    .filter((hippo) => !present.has(hippo))
    .map((hippo) => ({
      hippo,
      info: { group: groupName(identityOf(config, hippo)), state: 'Dead', members: [] },
      committed: [],
    }));
}

type FoundGroup = Omit<HippoGroup, 'read'> & { committed: TopicPartitionOffset[] };

async function hippoGroups(
  kafka: Kafka,
  config: Config,
  present: ReadonlySet<string>,
): Promise<FoundGroup[]> {
  const frontier = topicName(config, 'frontier');
  const hippos = await knownHippos(kafka, config);
  return Promise.all(
    hippos.map(async ({ hippo, info }) => ({
      hippo,
      info,
      committed: present.has(frontier) ? await kafka.committed(info.group, [frontier]) : [],
    })),
  );
}

import { StateTopic } from '../client/host/state-topic.ts';
import { groupName, identityOf } from '../config/groups.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { inputRoles, topicName } from '../config/topics.ts';
import { UserError } from '../core/errors.ts';
import { listed } from '../core/listed.ts';
import { didYouMean } from '../core/near.ts';
import { formatOffset } from '../core/record-ref.ts';
import { shellWord } from '../core/shell.ts';
import { knownHippos } from '../kafka/groups.ts';
import { unknownTopic } from '../kafka/errors.ts';
import type { Kafka, OutgoingRecord, TopicPartitionOffset } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import {
  type AlertState,
  FORGETTER,
  type OwnerRecord,
  type Positions,
  withPosition,
} from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';

export interface ForgetOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** `HIPPO`, or `HIPPO/JOB` for a job that its hippo.yaml does not have any more. */
  hippo: string;
  /** The hippo goes on where its group has read, instead of being new. */
  keepOffsets: boolean;
  dryRun: boolean;
  signal: AbortSignal;
  /** Asks the operator; false changes nothing. */
  confirm: (plan: ForgetPlan) => Promise<boolean>;
}

/** The group and the state of a hippo in Kafka, without its messages. */
export interface ForgetPlan {
  hippo: string;
  /** null: all of the hippo. */
  job: string | null;
  /** Its consumer group, which is deleted; null: there is none (any more), or it is kept. */
  group: string | null;
  /** The committed offsets from which its next start goes on; empty: it starts as a new hippo. */
  offsets: { topic: string; partition: number; /** Decimal text. */ offset: string }[];
  /** How many records the state topic has of it. */
  records: number;
  /** How many of them are open alerts: no message says that they are over. */
  alerts: number;
}

export interface ForgetReport extends ForgetPlan {
  outcome: 'planned' | 'declined' | 'forgotten';
}

/**
 * Removes the group and the state of a hippo that is gone for good. Its messages stay in the topics. Safe to repeat.
 * With
 * `keepOffsets` only what it remembers is forgotten: it gets a new state, which says that it has read up to the committed
 * offsets of its group.
 *
 * @throws UserError if it has a client or is unknown, or there are no offsets to keep; ServiceError without Kafka
 */
export async function forgetHippo(options: ForgetOptions): Promise<ForgetReport> {
  const { file, profile, signal } = options;
  const { hippo, job } = target(options);
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { config } = loaded;
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    if (job !== null) return await forgetJob(kafka, config, { hippo, job }, options);
    const group = await idleGroup(kafka, config, hippo);
    const { tombstones } = await stateOf(kafka, topicName(config, 'state'), hippo);
    if (group === null && tombstones.length === 0) throw await unknown(kafka, config, hippo);
    const kept = options.keepOffsets ? await offsetsToKeep(kafka, config, hippo) : [];
    const plan: ForgetPlan = {
      hippo,
      job: null,
      group: options.keepOffsets ? null : group,
      offsets: kept.map((position) => ({ ...position, offset: formatOffset(position.offset) })),
      ...counted(tombstones),
    };
    signal.throwIfAborted();
    if (options.dryRun) return { ...plan, outcome: 'planned' };
    if (!(await options.confirm(plan))) return { ...plan, outcome: 'declined' };
    if (kept.length > 0) {
      await replaceState(kafka, config, { hippo, tombstones, kept });
    } else {
      // First the group: if a client has started meanwhile, the broker refuses, and the state stays.
      if (group !== null) await kafka.deleteGroup(group);
      await send(kafka, tombstones);
    }
    return { ...plan, outcome: 'forgotten' };
  } finally {
    await kafka.close();
  }
}

function target({ hippo: name, keepOffsets }: ForgetOptions): { hippo: string; job: string | null } {
  const [hippo = '', ...rest] = name.split('/');
  if (rest.length === 0) return { hippo, job: null };
  const [job = ''] = rest;
  if (rest.length > 1 || hippo === '' || job === '') {
    throw new UserError(`"${name}" is not the name of a hippo or of a job`, {
      why: 'It must be HIPPO or HIPPO/JOB, such as etl or etl/load.',
      next: ['hippo tractor --all'],
    });
  }
  if (keepOffsets) {
    throw new UserError('--keep-offsets needs a whole hippo', {
      why: `${name} is one job: its hippo keeps its offsets anyway.`,
      next: [`hippo forget ${shellWord(name)}`],
    });
  }
  return { hippo, job };
}

/**
 * Removes the state of one job, its alerts too. A client whose hippo.yaml does not have the job does not write its records, so it may
 * run meanwhile; of its alerts it writes only that they are over.
 *
 * @throws UserError if the state has nothing of the job, or a client runs that has it
 */
async function forgetJob(
  kafka: Kafka,
  config: Config,
  { hippo, job }: { hippo: string; job: string },
  options: ForgetOptions,
): Promise<ForgetReport> {
  const { tombstones, owner } = await stateOf(kafka, topicName(config, 'state'), hippo);
  const those = tombstones.filter((tombstone) => tombstone.job === job);
  if (those.length === 0) {
    const jobs = [...new Set(tombstones.flatMap((tombstone) => tombstone.job ?? []))];
    throw new UserError(`the state of ${hippo} has nothing of a job ${job}`, {
      why: didYouMean(job, jobs) ?? (jobs.length === 0 ? undefined : `It has ${listed(jobs)}.`),
      next: [`hippo tractor --hippo ${shellWord(hippo)}`],
    });
  }
  if (owner?.jobs === undefined || Object.hasOwn(owner.jobs, job))
    await requireNoClient(kafka, config, { hippo, job });
  const plan: ForgetPlan = { hippo, job, group: null, offsets: [], ...counted(those) };
  options.signal.throwIfAborted();
  if (options.dryRun) return { ...plan, outcome: 'planned' };
  if (!(await options.confirm(plan))) return { ...plan, outcome: 'declined' };
  await send(kafka, those);
  return { ...plan, outcome: 'forgotten' };
}

async function requireNoClient(
  kafka: Kafka,
  config: Config,
  { hippo, job }: { hippo: string; job: string },
): Promise<void> {
  if (!(await hasClient(kafka, config, hippo))) return;
  throw new UserError(`a client of ${hippo} runs that has the job ${job}`, {
    why: 'It would write the state of the job again.',
    next: [
      `remove ${job} from hippo.yaml of ${hippo}, restart its client, then: hippo forget ${shellWord(`${hippo}/${job}`)}`,
    ],
  });
}

async function hasClient(kafka: Kafka, config: Config, hippo: string): Promise<boolean> {
  const state = (await knownHippos(kafka, config)).find((known) => known.hippo === hippo)?.info.state;
  return state !== undefined && state !== 'Empty' && state !== 'Dead';
}

async function idleGroup(kafka: Kafka, config: Config, hippo: string): Promise<string | null> {
  const found = (await knownHippos(kafka, config)).find((known) => known.hippo === hippo);
  if (found === undefined) return null;
  const { group, state } = found.info;
  if (state === 'Empty' || state === 'Dead') return group;
  throw new UserError(`${hippo} still has a running client`, {
    why: `Its consumer group ${group} has a member.`,
    next: ['stop its client first', `hippo tractor --hippo ${shellWord(hippo)}`],
  });
}

/** Removes a record of the state topic. */
type Tombstone = OutgoingRecord & {
  /** Not a mere probe, which says nothing of the hippo. */
  isState: boolean;
  /** The job that the record is about; null: none. */
  job: string | null;
  isOpenAlert: boolean;
};

function counted(tombstones: readonly Tombstone[]): Pick<ForgetPlan, 'records' | 'alerts'> {
  return {
    records: tombstones.filter(({ isState }) => isState).length,
    alerts: tombstones.filter(({ isOpenAlert }) => isOpenAlert).length,
  };
}

/** What the state topic has of a hippo. */
export class Remains {
  readonly #topic: string;
  readonly #live = new Map<string, Tombstone>();
  #owner: OwnerRecord | undefined;

  constructor(topic: string) {
    this.#topic = topic;
  }

  get owner(): OwnerRecord | undefined {
    return this.#owner;
  }

  /** What removes each record of the hippo, in the partition that the record is in. */
  get tombstones(): Tombstone[] {
    return [...this.#live.values()];
  }

  /** Takes in an entry; within a partition they come in the order of offsets. */
  readonly take = (entry: StateEntry): void => {
    const { key, id, partition, value } = entry;
    if (key.kind === 'owner') {
      const record = recordOfEntry(entry);
      this.#owner = record?.kind === 'owner' ? record.owner : undefined;
    }
    const record = `${partition} ${id}`;
    if (value === null) {
      this.#live.delete(record);
      return;
    }
    const alert = alertOf(entry);
    this.#live.set(record, {
      topic: this.#topic,
      partition,
      key: id,
      value: null,
      isState: key.kind !== 'probe',
      job: 'job' in key ? key.job : jobOf(alert),
      isOpenAlert: alert !== undefined && alert.resolvedAt === undefined,
    });
  };
}

async function stateOf(kafka: Kafka, topic: string, hippo: string): Promise<Remains> {
  const remains = new Remains(topic);
  await readState(kafka, topic, remains.take, hippo);
  return remains;
}

function alertOf(entry: StateEntry): AlertState | undefined {
  const record = entry.key.kind === 'alert' ? recordOfEntry(entry) : undefined;
  return record?.kind === 'alert' ? record.state : undefined;
}

/** Other alerts are of services and topics: the name of a topic may be that of a job. */
function jobOf(alert: AlertState | undefined): string | null {
  const isOfJob = alert?.runKey !== undefined || alert?.condition === 'paused';
  return isOfJob ? alert.subject : null;
}

async function offsetsToKeep(kafka: Kafka, config: Config, hippo: string): Promise<TopicPartitionOffset[]> {
  const group = groupName(identityOf(config, hippo));
  const inputs = inputRoles(config).map((role) => topicName(config, role));
  const committed = await kafka.committed(group, inputs);
  if (committed.length > 0) return committed;
  throw new UserError(`group ${group} has no committed offsets to keep`, {
    why: 'Its client has never run, or the brokers have dropped them (offsets.retention.minutes).',
    next: [`hippo forget ${shellWord(hippo)}    (then it starts as a new hippo)`],
  });
}

interface Replacement {
  hippo: string;
  tombstones: readonly OutgoingRecord[];
  kept: readonly TopicPartitionOffset[];
}

/**
 * Writes the new state in the transaction that removes the old one. A client that has come meanwhile is fenced by it, and
 * reads the new state.
 */
async function replaceState(
  kafka: Kafka,
  config: Config,
  { hippo, tombstones, kept }: Replacement,
): Promise<void> {
  const topic = topicName(config, 'state');
  const [info] = await kafka.topics([topic]);
  if (info === undefined) throw unknownTopic(topic, kafka.brokers);
  const state = StateTopic.of(kafka, topic, hippo, info.partitions.length);
  const positions = kept.reduce<Positions>(withPosition, new Map());
  const producer = await kafka.transactionalProducer(groupName(identityOf(config, hippo)));
  try {
    await producer.write([...tombstones, state.owner({ client: FORGETTER }), state.offsets(positions)]);
  } finally {
    await producer.close();
  }
}

async function unknown(kafka: Kafka, config: Config, hippo: string): Promise<UserError> {
  const names = (await knownHippos(kafka, config)).map((known) => known.hippo);
  return new UserError(`there is no hippo named ${hippo}`, {
    why: didYouMean(hippo, names),
    next: ['hippo tractor --all'],
  });
}

async function send(kafka: Kafka, records: readonly OutgoingRecord[]): Promise<void> {
  if (records.length === 0) return;
  const producer = await kafka.producer();
  try {
    await producer.send(records);
  } finally {
    await producer.close();
  }
}

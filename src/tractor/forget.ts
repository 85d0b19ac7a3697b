import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { topicName } from '../config/topics.ts';
import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import { shellWord } from '../core/shell.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { Kafka, OutgoingRecord } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import { readState } from '../state/reader.ts';

export interface ForgetOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  hippo: string;
  dryRun: boolean;
  signal: AbortSignal;
  /** Asks a person; false leaves everything as it is. */
  confirm: (plan: ForgetPlan) => Promise<boolean>;
}

/** What Kafka remembers of a hippo besides what it has said. */
export interface ForgetPlan {
  hippo: string;
  /** Its consumer group; null: there is none (any more). */
  group: string | null;
  /** How many records the state topic has of it. */
  records: number;
}

export interface ForgetReport extends ForgetPlan {
  outcome: 'planned' | 'declined' | 'forgotten';
}

/**
 * Forgets a hippo that is gone for good: its group, and its state. What it has said stays in the topics. Safe to repeat.
 *
 * @throws UserError if it has a client or is unknown, ServiceError without Kafka
 */
export async function forgetHippo(options: ForgetOptions): Promise<ForgetReport> {
  const { file, profile, hippo, signal } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { config } = loaded;
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const group = await idleGroup(kafka, config, hippo);
    const tombstones = await stateOf(kafka, topicName(config, 'state'), hippo);
    if (group === null && tombstones.length === 0) throw await unknown(kafka, config, hippo);
    const plan = { hippo, group, records: tombstones.length };
    signal.throwIfAborted();
    if (options.dryRun) return { ...plan, outcome: 'planned' };
    if (!(await options.confirm(plan))) return { ...plan, outcome: 'declined' };
    // First: the broker refuses it where a client has come meanwhile, and then the state stays.
    if (group !== null) await kafka.deleteGroup(group);
    await send(kafka, tombstones);
    return { ...plan, outcome: 'forgotten' };
  } finally {
    await kafka.close();
  }
}

async function idleGroup(kafka: Kafka, config: Config, hippo: string): Promise<string | null> {
  const found = (await knownHippos(kafka, config)).find((known) => known.hippo === hippo);
  if (found === undefined) return null;
  const { group, state } = found.info;
  if (state === 'Empty' || state === 'Dead') return group;
  throw new UserError(`${hippo} has a client: it is not gone`, {
    why: `Somebody is in its consumer group ${group}.`,
    next: ['stop its client first', `hippo tractor --hippo ${shellWord(hippo)}`],
  });
}

/** What removes each record of the hippo's state, in the partition that the record is in. */
async function stateOf(kafka: Kafka, topic: string, hippo: string): Promise<OutgoingRecord[]> {
  const live = new Map<string, OutgoingRecord>();
  await readState(kafka, topic, ({ key, id, partition, value }) => {
    if (key.hippo !== hippo) return;
    const record = `${partition} ${id}`;
    if (value === null) live.delete(record);
    else live.set(record, { topic, partition, key: id, value: null });
  });
  return [...live.values()];
}

async function unknown(kafka: Kafka, config: Config, hippo: string): Promise<UserError> {
  const names = (await knownHippos(kafka, config)).map((known) => known.hippo);
  return new UserError(`nothing is known here of a hippo ${hippo}`, {
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

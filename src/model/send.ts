/** Messages of operators about models, and the wait for what comes of them. */
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { pause } from '../core/deadline.ts';
import { BugError, UserError } from '../core/errors.ts';
import { newTraceparent } from '../core/ids.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { Kafka } from '../kafka/port.ts';
import { type ModelMessage, serialiseModel } from '../messages/index.ts';
import type { ModelWatch } from './watch.ts';

/** A message and where it is. */
export interface SentMessage {
  topic: string;
  partition: number;
  /** Decimal text. */
  offset: string;
  value: string;
}

/** @throws UserError where the topic does not exist */
export async function sendModelMessage(
  kafka: Kafka,
  config: Config,
  message: ModelMessage,
): Promise<{ sent: SentMessage; ref: RecordRef }> {
  const topic = topicName(config, 'model');
  const { found, hidden } = await kafka.lookUp([topic]);
  if (hidden[0] !== undefined) throw hidden[0];
  if (found.length === 0)
    throw new UserError(`topic ${topic} does not exist`, {
      why: 'Messages about models go there (topics.model in hippo.yaml).',
      next: ['hippo up'],
    });
  const value = serialiseModel(message);
  const producer = await kafka.producer();
  try {
    const [record] = await producer.send([
      { topic, key: message.model ?? '', value, headers: { traceparent: newTraceparent() } },
    ]);
    if (record === undefined)
      throw new BugError('the broker acknowledged a message without saying where it is');
    const ref = recordRef(record);
    return { sent: { topic, partition: ref.partition, offset: ref.offset, value }, ref };
  } finally {
    await producer.close();
  }
}

/** How many clients of the hippo run: without one a message stays in its topic. */
export async function clientsOf(kafka: Kafka, config: Config, hippo: string): Promise<number> {
  const hippos = await knownHippos(kafka, config);
  return hippos.find((known) => known.hippo === hippo)?.info.members.length ?? 0;
}

/** Between two looks, milliseconds. */
const LOOK = 300;

/** Looks until there is an answer. @returns undefined when the time is over @throws the signal's reason */
export async function lookFor<T>(
  watch: Pick<ModelWatch, 'look'>,
  answer: () => T | undefined,
  { timeout, signal }: { timeout: number; signal: AbortSignal },
): Promise<T | undefined> {
  const until = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    await watch.look();
    const found = answer();
    if (found !== undefined) return found;
    if (performance.now() >= until) return undefined;
    await pause(LOOK, signal);
  }
}

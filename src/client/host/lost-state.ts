import { inputRoles, topicName } from '../../config/topics.ts';
import type { Config } from '../../config/schema.ts';
import { UserError } from '../../core/errors.ts';
import { shellWord } from '../../core/shell.ts';
import type { Kafka } from '../../kafka/port.ts';
import type { ClientEvent } from './client-event.ts';
import type { FoundState } from './state-topic.ts';

/** The hippo whose state was looked for. */
export interface Seeker {
  kafka: Pick<Kafka, 'committed' | 'lookUp'>;
  config: Config;
  hippo: string;
  group: string;
}

/**
 * Makes sure that a hippo without state starts for the first time. Where it has run before, a start without its state would
 * fire the runs of all retained events again.
 *
 * @throws UserError when a part of the state is there, or the group has committed offsets: a person must decide
 * @throws DeniedError when this user may see none of the topics
 */
export async function requireFirstStart(
  found: Exclude<FoundState, { kind: 'whole' }>,
  { kafka, config, hippo, group }: Seeker,
): Promise<void> {
  const topic = topicName(config, 'state');
  if (found.kind === 'incomplete') {
    const records = found.records === 1 ? '1 record' : `${found.records} records`;
    throw lost(
      hippo,
      `a part of the state of ${hippo} is lost`,
      `${topic}[${found.partition}] has ${records} of it, but not those that every state has: the topic was made again while a client ran, or records were removed.`,
    );
  }
  const inputs = inputRoles(config).map((role) => topicName(config, role));
  // A group commits offsets in all of its topics, so those that this user may see tell it.
  const { found: seen, hidden } = await kafka.lookUp(inputs);
  if (seen.length === 0 && hidden[0] !== undefined) throw hidden[0];
  const topics = seen.map(({ topic: name }) => name);
  if ((await kafka.committed(group, topics)).length === 0) return;
  throw lost(
    hippo,
    `the state of ${hippo} is lost`,
    `Its group ${group} has committed offsets, so it has run before, but ${topic} has no record of it: the topic was made again, or its records were removed.`,
  );
}

function lost(hippo: string, message: string, why: string): UserError {
  return new UserError(message, {
    why: `${why} Without the state, runs that have run already would run again.`,
    next: lostStateCommands(hippo),
  });
}

/**
 * What a client says when it has written the hippo's state again.
 *
 * @param records so many
 */
export function stateWrittenAnew(topic: string, records: number): ClientEvent {
  return {
    event: 'notice',
    level: 'warning',
    text: `${topic} did not have the hippo's state any more: it was deleted and made again, or records were removed. This client had the state in memory and has written it again: ${records === 1 ? '1 record' : `${records} records`}`,
  };
}

/** What an operator can do about a state that is lost, to be typed. */
export function lostStateCommands(hippo: string): string[] {
  const name = shellWord(hippo);
  return [
    `hippo forget ${name} --keep-offsets    (go on where its group has read)`,
    `hippo forget ${name}    (start as a new hippo: client.start_from)`,
  ];
}

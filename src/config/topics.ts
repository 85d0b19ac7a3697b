import type { Config, TopicRole } from './schema.ts';

/** The name of a role's topic: the configured prefix and name. */
export function topicName(config: Pick<Config, 'topics'>, role: TopicRole): string {
  return `${config.topics.prefix}${config.topics[role]}`;
}

/** The roles of the topics whose messages hippos reject. */
export const ROLES_WITH_DLQ: readonly TopicRole[] = ['frontier', 'finish', 'schedule'];

/** The dead-letter topic of a topic. */
export function dlqName(topic: string): string {
  return `${topic}.dlq`;
}

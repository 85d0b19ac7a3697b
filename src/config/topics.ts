import type { Config, TopicRole } from './schema.ts';

/** The topic that plays a role: the configured prefix and name. */
export function topicName(config: Pick<Config, 'topics'>, role: TopicRole): string {
  return `${config.topics.prefix}${config.topics[role]}`;
}

/** Where what a hippo rejects from a topic goes. */
export function dlqName(topic: string): string {
  return `${topic}.dlq`;
}

import type { Config, TopicRole } from './schema.ts';

/** The name of a role's topic: the configured prefix and name. */
export function topicName(config: Pick<Config, 'topics'>, role: TopicRole): string {
  return `${config.topics.prefix}${config.topics[role]}`;
}

/** What tells which topics a hippo uses. */
export type TopicUse = Pick<Config, 'topics' | 'alerts'>;

/** The roles of the topics that a hippo reads. Each has a dead-letter topic. */
export function inputRoles(): readonly InputRole[] {
  return ['frontier', 'finish', 'schedule'];
}
export type InputRole = Extract<TopicRole, 'frontier' | 'finish' | 'schedule'>;

/** The roles of the topics that a hippo needs: the others may be missing. */
export function usedRoles({ alerts }: TopicUse): TopicRole[] {
  return [
    'frontier',
    'start',
    'finish',
    'schedule',
    'health',
    'state',
    ...(alerts === undefined ? [] : (['alert'] as const)),
  ];
}

/** The dead-letter topic of a topic. */
export function dlqName(topic: string): string {
  return `${topic}.dlq`;
}

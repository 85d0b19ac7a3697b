import type { Config, NeedConfig, TopicRole } from './schema.ts';

/** The name of a role's topic: the configured prefix and name. */
export function topicName(config: Pick<Config, 'topics'>, role: TopicRole): string {
  return `${config.topics.prefix}${config.topics[role]}`;
}

/** What tells which topics a hippo uses. */
export type TopicUse = Pick<Config, 'topics' | 'alerts' | 'jobs' | 'services' | 'models'>;

/** A topic that a hippo reads: the role is the kind of its messages. */
export type InputRole = Exclude<TopicRole, 'state'>;

/** The roles of the topics that every hippo reads. */
export const COMMON_INPUTS = ['frontier', 'finish', 'schedule'] as const satisfies readonly InputRole[];

/** The roles of the topics that a hippo reads only where a need names them. */
export function messageNeedRoles({ topics }: Pick<Config, 'topics'>): InputRole[] {
  const isOther = (role: TopicRole): role is InputRole =>
    role !== 'state' && !COMMON_INPUTS.some((common) => common === role);
  return (Object.keys(topics) as (keyof Config['topics'])[]).filter(
    (name): name is InputRole => name !== 'prefix' && isOther(name),
  );
}

/** The roles of the topics that a hippo reads: those of its needs' messages, and of its models, too. Each has a dead-letter topic. */
export function inputRoles({
  jobs,
  services,
  models,
}: Pick<TopicUse, 'jobs' | 'services' | 'models'>): readonly InputRole[] {
  const needs = [
    ...Object.values(jobs).flatMap((job) => job.needs),
    ...Object.values(services).flatMap(({ reload_on: reloadOn = [] }) => reloadOn),
  ];
  const ofModels: InputRole[] = Object.keys(models).length === 0 ? [] : ['model'];
  return [...new Set<InputRole>([...COMMON_INPUTS, ...needs.flatMap(rolesOf), ...ofModels])];
}

function rolesOf(need: NeedConfig): InputRole[] {
  if ('any_of' in need) return need.any_of.flatMap(rolesOf);
  if ('of' in need) return need.of.flatMap(rolesOf);
  return 'topic' in need ? [need.topic] : [];
}

/** The roles of the topics that a hippo needs: the others may be missing. */
export function usedRoles({ alerts, ...inputs }: Omit<TopicUse, 'topics'>): TopicRole[] {
  const used: TopicRole[] = ['frontier', 'start', 'finish', 'schedule', 'health', 'state'];
  if (alerts !== undefined) used.push('alert');
  return [...new Set([...used, ...inputRoles(inputs)])];
}

/** The dead-letter topic of a topic. */
export function dlqName(topic: string): string {
  return `${topic}.dlq`;
}

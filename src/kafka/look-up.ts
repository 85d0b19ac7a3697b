import type { Kafka } from './port.ts';

/**
 * The names of those topics that exist, as far as this user may know. A topic that it may not see counts as one that exists:
 * what is done with it next fails with the right that is missing, which says more than that the topic is not there.
 */
export async function existingTopics(
  kafka: Pick<Kafka, 'lookUp'>,
  names: readonly string[],
): Promise<Set<string>> {
  const { found, hidden } = await kafka.lookUp(names);
  return new Set([...found, ...hidden].flatMap(({ topic }) => topic ?? []));
}

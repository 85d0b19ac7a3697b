/** The prefix of the names of hippos' consumer groups. */
export const GROUP_PREFIX = 'hippo.';

/** The consumer group whose members are a hippo's clients. */
export function groupName(hippo: string): string {
  return `${GROUP_PREFIX}${hippo}`;
}

/** @param group a name that {@link groupName} gave */
export function hippoOfGroup(group: string): string {
  return group.slice(GROUP_PREFIX.length);
}

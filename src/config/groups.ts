/**
 * What identifies a hippo on one Kafka: `<prefix>/<name>`, and plain `<name>` where `topics.prefix` is empty. Neither part
 * may contain `/`, so no two hippos share an identity. It is part of the name of the consumer group (which is the
 * transactional id, too), of the owner's tag of processes and YARN applications, and of attempt ids.
 */
import type { Config } from './schema.ts';

/** What the names of all hippos' consumer groups begin with, whatever their prefix of topics is. */
export const GROUP_PREFIX = 'hippo.';

/** A hippo among those of all prefixes. */
export interface HippoIdentity {
  /** `topics.prefix` */
  prefix: string;
  name: string;
}

/** The identity of the hippo of this name whose topics have the configured prefix. */
export function identityOf({ topics }: Pick<Config, 'topics'>, name: string): string {
  return topics.prefix === '' ? name : `${topics.prefix}/${name}`;
}

/** @param identity as {@link identityOf} gives it */
export function parseIdentity(identity: string): HippoIdentity {
  const slash = identity.indexOf('/');
  return { prefix: slash === -1 ? '' : identity.slice(0, slash), name: identity.slice(slash + 1) };
}

/** The consumer group whose members are the clients of the hippo with this identity. */
export function groupName(identity: string): string {
  return `${GROUP_PREFIX}${identity}`;
}

/** @param group a name that {@link groupName} gave */
export function identityOfGroup(group: string): string {
  return group.slice(GROUP_PREFIX.length);
}

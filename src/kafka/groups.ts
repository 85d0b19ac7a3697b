import { groupName, identityOf, identityOfGroup, parseIdentity } from '../config/groups.ts';
import type { Config } from '../config/schema.ts';
import type { GroupInfo, Kafka } from './port.ts';

/** A hippo whose consumer group the brokers know. */
export interface KnownHippo {
  hippo: string;
  info: GroupInfo;
}

/** The hippos whose topics have the configured prefix, by their consumer groups; those of other prefixes are left out. */
export async function knownHippos(
  kafka: Pick<Kafka, 'groups'>,
  config: Pick<Config, 'topics'>,
): Promise<KnownHippo[]> {
  const groups = await kafka.groups(groupName(identityOf(config, '')));
  return groups
    .map((info) => ({ identity: parseIdentity(identityOfGroup(info.group)), info }))
    .filter(({ identity }) => identity.prefix === config.topics.prefix)
    .map(({ identity, info }) => ({ hippo: identity.name, info }));
}

/** Rights of Kafka's authorizer (ACLs), and how an operator grants them. Pure. */
import { shellWord } from '../core/shell.ts';

/** As kafka-acls.sh calls it. */
export type Operation =
  'Read' | 'Write' | 'Create' | 'Delete' | 'Describe' | 'DescribeConfigs' | 'IdempotentWrite';

/** What an operation is done to. */
export type Resource =
  | { type: 'topic'; name: string }
  | { type: 'group'; name: string }
  | { type: 'transactional id'; name: string }
  | { type: 'cluster' };

/** An operation on a resource, which an ACL allows or denies. */
export interface Right {
  operation: Operation;
  resource: Resource;
}

export const onTopic = (operation: Operation, name: string): Right => ({
  operation,
  resource: { type: 'topic', name },
});
export const onGroup = (operation: Operation, name: string): Right => ({
  operation,
  resource: { type: 'group', name },
});
export const onTransactionalId = (operation: Operation, name: string): Right => ({
  operation,
  resource: { type: 'transactional id', name },
});
export const onCluster = (operation: Operation): Right => ({ operation, resource: { type: 'cluster' } });

/** The resource in words: `topic frontier-adw`. */
export function describeResource(resource: Resource): string {
  return resource.type === 'cluster' ? 'the cluster' : `${resource.type} ${resource.name}`;
}

/**
 * The command that grants a right.
 *
 * @param principal null: not known
 */
export function grantCommand(
  brokers: readonly string[],
  principal: string | null,
  rights: readonly [Right, ...Right[]],
): string {
  const [{ operation }] = rights;
  return [
    `kafka-acls.sh --bootstrap-server ${brokers.join(',')} --add`,
    `--allow-principal ${shellWord(principal ?? 'User:NAME')} --operation ${operation}`,
    ...rights.map(({ resource }) => resourceFlag(resource)),
  ].join(' ');
}

/** The command that lists the ACLs of a resource: one that denies goes before all that allow. */
export function listCommand(brokers: readonly string[], { resource }: Right): string {
  return `kafka-acls.sh --bootstrap-server ${brokers.join(',')} --list ${resourceFlag(resource)}`;
}

function resourceFlag(resource: Resource): string {
  switch (resource.type) {
    case 'topic':
      return `--topic ${shellWord(resource.name)}`;
    case 'group':
      return `--group ${shellWord(resource.name)}`;
    case 'transactional id':
      return `--transactional-id ${shellWord(resource.name)}`;
    case 'cluster':
      return '--cluster';
  }
}

import { jsonSchema } from './json-schema.ts';
import type { ConfigPath } from './path.ts';

/** The part of JSON Schema that valibot writes. */
export type SchemaNode = Readonly<Record<string, unknown>>;

export function schemaRoot(): SchemaNode[] {
  return [jsonSchema()];
}

/** The schemas that may apply to a value at this path of hippo.yaml. */
export function schemaNodesAt(root: readonly SchemaNode[], path: ConfigPath): SchemaNode[] {
  return path.reduce<readonly SchemaNode[]>(childNodes, root).flatMap(alternatives);
}

/** The schemas of a member of the values that `nodes` describe. */
function childNodes(nodes: readonly SchemaNode[], key: string | number): SchemaNode[] {
  return nodes
    .flatMap(alternatives)
    .map((node) =>
      typeof key === 'number' ? node['items'] : (properties(node)[key] ?? node['additionalProperties']),
    )
    .filter(isNode);
}

/** A node, whose rules hold for all of its alternatives, and the alternatives. */
function alternatives(node: SchemaNode): SchemaNode[] {
  const branches = node['anyOf'];
  return Array.isArray(branches) ? [node, ...branches.filter(isNode)] : [node];
}

function properties(node: SchemaNode): SchemaNode {
  const value = node['properties'];
  return isNode(value) ? value : {};
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null;
}

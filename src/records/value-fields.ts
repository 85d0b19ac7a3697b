/** Which fields of a record's value an expression reads: most read one or two, and the others need not be parsed. */
import type { ASTNode } from '@marcbachmann/cel-js';

/**
 * The names of the fields: `value.table == "party" && has(value["rows"])` → `table`, `rows`.
 *
 * @returns undefined where the value is used as a whole, or where it is not known what of it is
 */
export function valueFields(ast: ASTNode): Set<string> | undefined {
  const names = new Set<string>();
  const waiting: unknown[] = [ast];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (Array.isArray(part)) waiting.push(...(part as unknown[]));
    else if (isNode(part)) {
      const name = fieldOf(part);
      if (name !== undefined) names.add(name);
      // Also where it is a variable of exists() and the like.
      else if (isValue(part)) return undefined;
      else waiting.push(part.args);
    }
  }
  return names;
}

interface Node {
  op: unknown;
  args: unknown;
}

/** `value.name`, `value["name"]` */
function fieldOf({ op, args }: Node): string | undefined {
  if ((op !== '.' && op !== '[]') || !Array.isArray(args) || !isNode(args[0]) || !isValue(args[0]))
    return undefined;
  const name: unknown = args[1];
  if (op === '.') return typeof name === 'string' ? name : undefined;
  return isNode(name) && name.op === 'value' && typeof name.args === 'string' ? name.args : undefined;
}

function isValue({ op, args }: Node): boolean {
  return op === 'id' && args === 'value';
}

function isNode(part: unknown): part is Node {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
}

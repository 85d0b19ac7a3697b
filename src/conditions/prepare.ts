/** What is done to a parsed expression before its types are checked. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { patternProblem } from './patterns.ts';

/** The name under which `matches` is called: the library has one of its own, which backtracks, and lets none replace it. */
export const MATCHES = 'matches_of_re2';

export const TOO_DEEP = 'it is too long or too deep: split it, or list values with in [...]';

/** Each term of a chain is a level. Judging an expression takes stack for each. */
const DEEPEST = 1_000;

interface WalkProblem {
  message: string;
  /** Where, from 0, in the expression. */
  at: number;
}

/** Calls of `matches` become those of {@link MATCHES}; their constant patterns are compiled. */
export function prepare(ast: ASTNode): WalkProblem | undefined {
  const waiting: { part: unknown; depth: number }[] = [{ part: ast, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { part, depth } = next;
    if (depth > DEEPEST) return { message: TOO_DEEP, at: 0 };
    if (isNode(part)) {
      const problem = part.op === 'rcall' ? renamed(part.args) : undefined;
      if (problem !== undefined) return problem;
      waiting.push({ part: part.args, depth: depth + 1 });
    } else if (isObject(part)) {
      for (const each of Object.values(part)) if (isObject(each)) waiting.push({ part: each, depth });
    }
  }
  return undefined;
}

/** @param call the name, the receiver and the arguments of a call: they are changed */
function renamed(call: unknown[]): WalkProblem | undefined {
  const [name, , given] = call;
  if (name !== 'matches' || !Array.isArray(given) || given.length !== 1) return undefined;
  call[0] = MATCHES;
  const pattern: unknown = given[0];
  if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string') return undefined;
  const message = patternProblem(pattern.args);
  return message === undefined ? undefined : { message, at: pattern.start };
}

function isNode(part: unknown): part is ASTNode {
  return isObject(part) && 'op' in part && 'args' in part && 'start' in part;
}

function isObject(part: unknown): part is object {
  return typeof part === 'object' && part !== null;
}

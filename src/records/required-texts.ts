/**
 * A cheap test that goes before the filter: it finds texts that every matching value contains, so that a value without
 * them is left out unparsed. (Palkar et al., "Filter before you parse", VLDB 2018.)
 */
import type { ASTNode } from '@marcbachmann/cel-js';

/**
 * The texts that the bytes of every value contain for which this expression is true; empty: none is known.
 * `value.table == "party" && partition == 0` → `['party']`
 *
 * JSON may write any character of a string as an escape, so this holds only for values without a backslash.
 */
export function requiredTexts(node: ASTNode): string[] {
  if (node.op === '&&') return node.args.flatMap(requiredTexts);
  if (node.op !== '==') return [];
  const [left, right] = node.args;
  return [...textOf(left, right), ...textOf(right, left)];
}

/** `value.table == "party"` requires `party`. */
function textOf(field: ASTNode, literal: ASTNode): string[] {
  if (literal.op !== 'value' || !isOfValue(field)) return [];
  // Numbers are left out: 5, 5.0 and 5e0 are equal. Only of ASCII text are the bytes the same in every encoding.
  const text = typeof literal.args === 'boolean' ? String(literal.args) : literal.args;
  return typeof text === 'string' && /^[\x20-\x7e]+$/.test(text) ? [text] : [];
}

/** `value`, `value.a`, `value["a"]`, `value.a[0].b`. */
function isOfValue(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'value';
  return (node.op === '.' || node.op === '[]') && isOfValue(node.args[0]);
}

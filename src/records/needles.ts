import type { ASTNode } from '@marcbachmann/cel-js';

/**
 * Texts that the bytes of every value which an expression is true of contain, so that most values need not be parsed:
 * of `value.table == "party" && partition == 0` it is `party`. (Filter before you parse: Palkar et al., VLDB 2018.)
 *
 * JSON may write any character of a string by an escape: it is only of values without a backslash that this holds.
 */
export function needlesOf(node: ASTNode): string[] {
  if (node.op === '&&') return node.args.flatMap(needlesOf);
  if (node.op !== '==') return [];
  const [left, right] = node.args;
  return [...needle(left, right), ...needle(right, left)];
}

function needle(field: ASTNode, literal: ASTNode): string[] {
  if (literal.op !== 'value' || !isOfValue(field)) return [];
  // As numbers go, 5, 5.0 and 5e0 are equal; as text goes, ASCII is what bytes and characters agree on.
  const text = typeof literal.args === 'boolean' ? String(literal.args) : literal.args;
  return typeof text === 'string' && /^[\x20-\x7e]+$/.test(text) ? [text] : [];
}

/** `value`, `value.a`, `value["a"]`, `value.a[0].b`. */
function isOfValue(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'value';
  return (node.op === '.' || node.op === '[]') && isOfValue(node.args[0]);
}

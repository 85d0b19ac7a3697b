import type * as z from 'zod';
import { didYouMean, nearMisses } from '../core/near.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { ConfigPath } from './path.ts';
import { alternatives, childNodes, properties, type SchemaNode, schemaRoot } from './schema-nodes.ts';

/** What is wrong at a path, in words that read on after the key. */
export interface Explanation {
  path: ConfigPath;
  message: string;
  /** The problem is the key, not its value. */
  atKey: boolean;
}

type Issue = z.core.$ZodIssue;

/**
 * Puts zod's issues into words: what is allowed, and what an unknown key may have been meant to be. Values are never named:
 * they may be secret.
 */
export function explain(issues: readonly Issue[], tree: Json): Explanation[] {
  return explainAll(issues, { path: [], nodes: schemaRoot(), value: tree });
}

interface Context {
  path: ConfigPath;
  /** The schemas that may apply at the path. */
  nodes: readonly SchemaNode[];
  /** The value at the path. */
  value: Json | undefined;
}

/** Of issues whose paths are relative to the context. */
function explainAll(issues: readonly Issue[], context: Context): Explanation[] {
  const misspelt = new Set(issues.flatMap((issue) => misspeltKeys(issue, descend(context, issue.path))));
  return issues.flatMap((issue) => {
    const here = descend(context, issue.path);
    // A key that is missing because it is misspelt is one problem, not two.
    if (isMissing(issue, here) && misspelt.has(JSON.stringify(here.path))) return [];
    return explainOne(issue, here);
  });
}

function explainOne(issue: Issue, here: Context): Explanation[] {
  const say = (message: string, atKey = false): Explanation[] => [{ path: here.path, message, atKey }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...here.path, key],
        message: unknownKey(key, here),
        atKey: true,
      }));
    case 'invalid_type':
      return say(wrongType(typeWord(issue.expected), here.value));
    case 'invalid_value':
      return say(
        wrongType(
          oneOf(issue.values.map(String)),
          here.value,
          nearValue(here.value, issue.values.map(String)),
        ),
      );
    case 'invalid_key':
      return say(`is no name: ${issue.issues[0]?.message ?? 'it is not allowed'}`, true);
    case 'invalid_union':
      return explainUnion(issue, here);
    case 'too_small':
      return say(bound('at least', Number(issue.minimum), issue.origin));
    case 'too_big':
      return say(bound('at most', Number(issue.maximum), issue.origin));
    default:
      return say(issue.message);
  }
}

/** Explains the branch of the union that the author most likely meant. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, here: Context): Explanation[] {
  const branches = here.nodes.flatMap(alternatives);
  const ranked = issue.errors
    .map((issues, index) => {
      const nodes = branches.length === issue.errors.length ? [branches[index] ?? {}] : here.nodes;
      return { issues, context: { ...here, nodes } };
    })
    .filter(({ issues }) => !issues.some((inner) => isWrongShape(inner)))
    .sort((left, right) => cost(left.issues, left.context) - cost(right.issues, right.context));
  const [best] = ranked;
  if (best !== undefined) return explainAll(best.issues, best.context);
  const wanted = issue.errors.flatMap((issues) => issues.filter(isWrongShape).map(shapeWord));
  return [
    { path: here.path, message: wrongType([...new Set(wanted)].join(' or '), here.value), atKey: false },
  ];
}

/** How far a value is from a branch: the fewer unknown and missing keys, the nearer. */
function cost(issues: readonly Issue[], context: Context): number {
  const misspelt = issues.flatMap((issue) => misspeltKeys(issue, descend(context, issue.path)));
  const total = issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + 10 * issue.keys.length;
    return sum + (isMissing(issue, descend(context, issue.path)) ? 3 : 1);
  }, 0);
  return total - 10 * misspelt.length;
}

/** The paths of the keys that unknown keys are near to. */
function misspeltKeys(issue: Issue, here: Context): string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const known = knownKeys(here);
  return issue.keys.flatMap((key) => {
    const [near] = nearMisses(key, known);
    return near === undefined ? [] : [JSON.stringify([...here.path, near])];
  });
}

function unknownKey(key: string, here: Context): string {
  const known = knownKeys(here);
  if (known.includes(key)) return misplacedKey(key, here);
  const suggestion = didYouMean(key, known);
  const allowed = `allowed: ${known.join(', ')}`;
  return suggestion === undefined
    ? `is no key here; ${allowed}`
    : `is no key here. ${suggestion} (${allowed})`;
}

/** A key of another alternative than the one that its neighbours speak for. */
function misplacedKey(key: string, here: Context): string {
  const company = here.nodes
    .flatMap(alternatives)
    .map((node) => Object.keys(properties(node)))
    .filter((keys) => keys.includes(key))
    .map((keys) => keys.filter((other) => other !== key).join(', '));
  return `does not go with the keys beside it; it goes with ${company.join(' or with ')}`;
}

function knownKeys(here: Context): string[] {
  return [...new Set(here.nodes.flatMap(alternatives).flatMap((node) => Object.keys(properties(node))))];
}

function nearValue(value: Json | undefined, allowed: string[]): string | undefined {
  return typeof value === 'string' ? didYouMean(value, allowed) : undefined;
}

function wrongType(wanted: string, value: Json | undefined, suggestion?: string): string {
  if (value === undefined) return `is missing; it must be ${wanted}`;
  return suggestion === undefined ? `must be ${wanted}` : `must be ${wanted}. ${suggestion}`;
}

function bound(limit: string, count: number, origin: string): string {
  if (origin === 'array') return `must have ${limit} ${count} ${count === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string')
    return count === 1 && limit === 'at least'
      ? 'must not be empty'
      : `must have ${limit} ${count} characters`;
  return `must be ${limit} ${count}`;
}

function oneOf(words: string[]): string {
  return words.length === 1 ? (words[0] ?? '') : `one of ${words.join(', ')}`;
}

function isMissing(issue: Issue, here: Context): boolean {
  return (issue.code === 'invalid_type' || issue.code === 'invalid_value') && here.value === undefined;
}

/** The value is of another kind altogether than the branch. */
function isWrongShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function shapeWord(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeWord(issue.expected);
  return issue.code === 'invalid_value' ? issue.values.map(String).join(' or ') : issue.message;
}

function typeWord(expected: string): string {
  const words: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
  };
  return words[expected] ?? expected;
}

function descend(context: Context, path: readonly PropertyKey[]): Context {
  return path.reduce<Context>(({ path: above, nodes, value }, part) => {
    const key = typeof part === 'number' ? part : String(part);
    return {
      path: [...above, key],
      nodes: childNodes(nodes, key),
      value: member(value, key),
    };
  }, context);
}

function member(value: Json | undefined, key: string | number): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

import * as v from 'valibot';
import { didYouMean, nearMisses } from '../core/near.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { ConfigPath } from './path.ts';
import { type Schema, asSchema, plain } from './schema-kinds.ts';

/** What is wrong at a path, in words that continue a sentence after the key. */
export interface ValueProblem {
  path: ConfigPath;
  message: string;
  /** The problem is the key, not its value. */
  atKey: boolean;
}

/**
 * Explains what is wrong with a value: what is allowed, and which key an unknown one may have meant. It never names a
 * value, because the value may be secret.
 *
 * @param schema refuses the value
 */
export function explain(schema: v.GenericSchema, value: Json): ValueProblem[] {
  return explainAt(schema, value, { path: [], siblings: [] });
}

/** Objects of JavaScript have these by themselves, and libraries leave them out. */
export function isReserved(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

const RESERVED = 'cannot be used as a name: it is reserved';

interface Context {
  path: ConfigPath;
  /** The schemas that a value at the path may have instead. */
  siblings: readonly v.GenericSchema[];
  /** The key of the value that says which of them it has: see {@link kindKeys}. */
  kind?: string;
}

/** Empty if the schema accepts the value. */
function explainAt(given: v.GenericSchema, value: Json | undefined, context: Context): ValueProblem[] {
  const schema = asSchema(given);
  switch (schema.type) {
    case 'optional':
      return value === undefined ? [] : explainAt(schema.wrapped, value, context);
    case 'union':
      return explainUnion(schema.options, given, value, context);
    case 'strict_object':
      if (!isJsonObject(value)) return wrongType(given, value, context);
      return orRest(explainKeys(schema, value, context), given, value, context);
    case 'record':
      if (!isJsonObject(value)) return wrongType(given, value, context);
      return orRest(
        Object.entries(value).flatMap(([key, member]) => [
          ...(isReserved(key) ? [at(context, key, RESERVED, true)] : []),
          ...complaints(schema.key, key).map(({ message }) =>
            at(context, key, `is no name: ${message}`, true),
          ),
          ...explainAt(schema.value, member, below(context, key)),
        ]),
        given,
        value,
        context,
      );
    case 'array':
      if (!Array.isArray(value)) return wrongType(given, value, context);
      return orRest(
        value.flatMap((item, index) => explainAt(schema.item, item, below(context, index))),
        given,
        value,
        context,
      );
    default:
      return v.is(plain(given), value) ? rest(given, value, context) : wrongType(given, value, context);
  }
}

/** The problems of a mapping: unknown keys, missing keys, and wrong values. */
function explainKeys(
  { entries }: v.StrictObjectSchema<v.ObjectEntries, undefined>,
  value: Record<string, Json>,
  context: Context,
): ValueProblem[] {
  const known = Object.keys(entries);
  const strangers = Object.keys(value).filter((key) => !Object.hasOwn(entries, key));
  const meant = new Set(strangers.flatMap((key) => nearMisses(key, known).slice(0, 1)));
  return [
    ...Object.entries(entries)
      // A misspelt key is one problem, not an unknown and a missing key.
      .filter(([key]) => Object.hasOwn(value, key) || !meant.has(key))
      .flatMap(([key, member]) => explainAt(member, value[key], below(context, key))),
    ...strangers.map((key) => at(context, key, unknownKey(key, known, context), true)),
  ];
}

/** Explains the alternative that the author most likely meant. */
function explainUnion(
  options: readonly v.GenericSchema[],
  given: v.GenericSchema,
  value: Json | undefined,
  { path }: Context,
): ValueProblem[] {
  if (options.some((option) => v.is(option, value))) return rest(given, value, { path, siblings: [] });
  const kinds = kindKeys(options);
  if (kinds !== undefined && isJsonObject(value)) {
    const found = explainKind(kinds, value, { path, siblings: options });
    if (found !== undefined) return found;
  }
  const [best] = options
    .filter((option) => hasShape(option, value))
    .map((option) => ({ option, found: explainAt(option, value, { path, siblings: options }) }))
    .sort((left, right) => cost(left.option, value, left.found) - cost(right.option, value, right.found));
  return best?.found ?? wrongType(given, value, { path, siblings: [] });
}

/**
 * Of mappings that one key tells apart, such as `{ folder: … }` and `{ sql: … }`: the first key that each of them needs and no
 * other one has. undefined where not each has one.
 */
function kindKeys(options: readonly v.GenericSchema[]): ReadonlyMap<string, v.GenericSchema> | undefined {
  const kinds = options.map((option): [string, v.GenericSchema] | undefined => {
    const others = new Set(options.filter((other) => other !== option).flatMap(keysOf));
    const schema = asSchema(option);
    const entries = schema.type === 'strict_object' ? Object.entries(schema.entries) : [];
    const own = entries.find(([key, { type }]) => type !== 'optional' && !others.has(key));
    return own === undefined ? undefined : [own[0], option];
  });
  const all = kinds.filter((kind) => kind !== undefined);
  return all.length === options.length && all.length > 1 ? new Map(all) : undefined;
}

/** Of mappings that one key tells apart. @returns undefined where no key does, but one that is misspelt may */
function explainKind(
  kinds: ReadonlyMap<string, v.GenericSchema>,
  value: Record<string, Json>,
  context: Context,
): ValueProblem[] | undefined {
  const names = [...kinds.keys()];
  const [kind, ...more] = names.filter((key) => Object.hasOwn(value, key));
  const option = kinds.get(kind ?? '');
  if (kind !== undefined && option !== undefined && more.length === 0)
    return explainAt(option, value, { ...context, kind });
  if (kind !== undefined) {
    const message = `does not go with ${kind}; exactly one is allowed of ${names.join(', ')}`;
    return more.map((key) => at(context, key, message, true));
  }
  if (Object.keys(value).some((key) => nearMisses(key, names).length > 0)) return undefined;
  return [{ path: context.path, message: `needs exactly one of the keys ${names.join(', ')}`, atKey: true }];
}

/** How far a value is from an alternative: the fewer unknown and missing keys, the nearer. */
function cost(option: v.GenericSchema, value: Json | undefined, found: readonly ValueProblem[]): number {
  const schema = asSchema(option);
  if (schema.type !== 'strict_object' || !isJsonObject(value)) return found.length;
  const known = Object.entries(schema.entries);
  const strangers = Object.keys(value).filter((key) => !Object.hasOwn(schema.entries, key));
  const misspelt = strangers.filter((key) => nearMisses(key, Object.keys(schema.entries)).length > 0);
  const missing = known.filter(([key, { type }]) => type !== 'optional' && !Object.hasOwn(value, key));
  return 10 * (strangers.length - misspelt.length) + 3 * missing.length + found.length;
}

function unknownKey(key: string, known: readonly string[], { siblings, kind }: Context): string {
  if (kind !== undefined) return unknownOfKind(key, known, kind, siblings);
  const alternatives = siblings.map(keysOf).filter((keys) => keys.length > 0);
  const allowed = [...new Set([...known, ...alternatives.flat()])];
  if (allowed.includes(key)) {
    const company = alternatives
      .filter((keys) => keys.includes(key))
      .map((keys) => keys.filter((other) => other !== key).join(', '));
    return `does not go with the keys beside it; it goes with ${company.join(' or with ')}`;
  }
  const suggestion = didYouMean(key, allowed);
  const list = `allowed: ${allowed.join(', ')}`;
  return suggestion === undefined ? `is no key here; ${list}` : `is no key here. ${suggestion} (${list})`;
}

/** A key beside the one that says which mapping this is. */
function unknownOfKind(
  key: string,
  known: readonly string[],
  kind: string,
  siblings: readonly v.GenericSchema[],
): string {
  const allowed = `allowed beside ${kind}: ${known.filter((other) => other !== kind).join(', ')}`;
  const kinds = [...(kindKeys(siblings) ?? [])];
  const others = kinds.filter(([, option]) => keysOf(option).includes(key)).map(([name]) => name);
  if (others.length > 0) return `goes with ${others.join(' or ')}, not with ${kind}; ${allowed}`;
  const suggestion = didYouMean(key, known);
  return suggestion === undefined
    ? `is no key here; ${allowed}`
    : `is no key here. ${suggestion} (${allowed})`;
}

function keysOf(option: v.GenericSchema): string[] {
  const schema = asSchema(option);
  return schema.type === 'strict_object' ? Object.keys(schema.entries) : [];
}

function orRest(
  found: ValueProblem[],
  given: v.GenericSchema,
  value: Json,
  context: Context,
): ValueProblem[] {
  return found.length > 0 ? found : rest(given, value, context);
}

/** The rules of a schema beyond the kind of value. */
function rest(given: v.GenericSchema, value: Json | undefined, { path }: Context): ValueProblem[] {
  return complaints(given, value).map((complaint) => ({
    path: [...path, ...complaint.path],
    message: complaint.message,
    atKey: false,
  }));
}

function complaints(schema: v.GenericSchema, value: unknown): { path: ConfigPath; message: string }[] {
  return (v.safeParse(schema, value).issues ?? []).map((issue) => ({
    path: (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key))),
    message: wordOf(issue),
  }));
}

function wordOf(issue: v.BaseIssue<unknown>): string {
  const count = Number(issue.requirement);
  switch (issue.type) {
    case 'safe_integer':
      return 'must be a whole number';
    case 'min_value':
      return `must be at least ${count}`;
    case 'max_value':
      return `must be at most ${count}`;
    case 'min_length':
      return Array.isArray(issue.input)
        ? `must have at least ${count} ${count === 1 ? 'entry' : 'entries'}`
        : 'must not be empty';
    default:
      return issue.message;
  }
}

function wrongType(given: v.GenericSchema, value: Json | undefined, { path }: Context): ValueProblem[] {
  const schema = asSchema(given);
  const wanted = kindsOf(schema).join(' or ');
  const suggestion =
    schema.type === 'picklist' && typeof value === 'string' ? didYouMean(value, schema.options) : undefined;
  const message =
    value === undefined
      ? `is missing; it must be ${wanted}`
      : [`must be ${wanted}`, suggestion].filter(Boolean).join('. ');
  return [{ path, message, atKey: false }];
}

/** The kinds of value that a schema accepts, in words. */
function kindsOf(schema: Schema): string[] {
  switch (schema.type) {
    case 'optional':
      return kindsOf(asSchema(schema.wrapped));
    case 'union':
      return [...new Set(schema.options.flatMap((option) => kindsOf(asSchema(option))))];
    case 'picklist':
      return [`one of ${schema.options.join(', ')}`];
    case 'literal':
      return [String(schema.literal)];
    case 'strict_object':
    case 'record':
      return ['a mapping'];
    case 'array':
      return ['a list'];
    case 'string':
      return ['text'];
    case 'number':
      return ['a number'];
    case 'boolean':
      return ['true or false'];
  }
}

/** Whether a value is of a kind that the schema accepts; its content is not checked. */
function hasShape(given: v.GenericSchema, value: Json | undefined): boolean {
  const schema = asSchema(given);
  switch (schema.type) {
    case 'strict_object':
    case 'record':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    default:
      return v.is(plain(given), value);
  }
}

function below({ path }: Context, key: string | number): Context {
  return { path: [...path, key], siblings: [] };
}

function at({ path }: Context, key: string, message: string, atKey: boolean): ValueProblem {
  return { path: [...path, key], message, atKey };
}

import * as v from 'valibot';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ValueProblem, explain, isReserved } from './explain.ts';
import type { ConfigPath } from './path.ts';
import { type Config, fileSchema } from './schema.ts';

export type Validated = { ok: true; config: Config } | { ok: false; explanations: ValueProblem[] };

/**
 * @param fromVariable whether the text at a path came from the environment: where the schema wants a number or a boolean, it is
 *   read as one. (Not before: a password of digits is text.)
 */
export function validate(tree: JsonObject, fromVariable: (path: ConfigPath) => boolean): Validated {
  const first = v.safeParse(fileSchema, tree);
  if (first.success) return accepted(tree, first.output);
  const at = first.issues.map(({ path }) => (path ?? []).map(({ key }) => key));
  const typed = readTyped(tree, [], (path) => fromVariable(path) && at.some((issue) => begins(path, issue)));
  const second = v.safeParse(fileSchema, typed);
  if (second.success) return accepted(typed, second.output);
  return { ok: false, explanations: explain(fileSchema, typed) };
}

/** What valibot takes for a mapping, or leaves out without a word, and the explanation does not. */
function accepted(tree: Json, output: v.InferOutput<typeof fileSchema>): Validated {
  const explanations = isOdd(tree) ? explain(fileSchema, tree) : [];
  if (explanations.length > 0) return { ok: false, explanations };
  return { ok: true, config: withoutProfiles(output) };
}

/** valibot takes a list for a mapping whose keys are numbers, and leaves out keys that objects of JavaScript have by themselves. */
function isOdd(value: Json): boolean {
  if (Array.isArray(value)) return true;
  return (
    isJsonObject(value) && Object.entries(value).some(([key, member]) => isReserved(key) || isOdd(member))
  );
}

/** Profiles are merged into the configuration and are not part of the result. */
function withoutProfiles({ profiles: _, ...config }: Config & { profiles: unknown }): Config {
  return config;
}

function readTyped(value: Json, path: ConfigPath, isMeant: (path: ConfigPath) => boolean): Json {
  if (Array.isArray(value)) return value.map((item, index) => readTyped(item, [...path, index], isMeant));
  if (isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, readTyped(item, [...path, key], isMeant)]),
    );
  }
  return typeof value === 'string' && isMeant(path) ? numberOrBoolean(value) : value;
}

function numberOrBoolean(text: string): Json {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d*)?$/.test(text) ? Number(text) : text;
}

function begins(path: ConfigPath, start: readonly unknown[]): boolean {
  return start.every((part, index) => path[index] === part);
}

/** Parameters of BUILD_MODEL: what hippo.yaml allows, and what of it a message sets. */
import { type Json, type JsonObject, numberOf } from '../core/json.ts';

export const PARAM_TYPES = ['number', 'integer', 'text', 'boolean'] as const;

/** As `params` of a model in hippo.yaml has it. */
export interface ParamRule {
  readonly type: (typeof PARAM_TYPES)[number];
  /** Of a number or integer. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Of a text. */
  readonly values?: readonly string[] | undefined;
  /** Of a text: a regular expression that the whole text must fit. */
  readonly pattern?: string | undefined;
  readonly default?: string | number | boolean | undefined;
}

const LONGEST_TEXT = 1_000;

/** @returns why the value is not one that the parameter takes; undefined: it is */
export function paramProblem(rule: ParamRule, value: Json): string | undefined {
  if (rule.type === 'boolean') return typeof value === 'boolean' ? undefined : 'must be true or false';
  return rule.type === 'text' ? textProblem(rule, value) : numberProblem(rule, numberOf(value));
}

function textProblem({ values, pattern }: ParamRule, value: Json): string | undefined {
  if (typeof value !== 'string') return 'must be text';
  if (values !== undefined) return values.includes(value) ? undefined : `must be one of ${values.join(', ')}`;
  if (value.length > LONGEST_TEXT) return `must have at most ${LONGEST_TEXT} characters`;
  const isFit = pattern === undefined || new RegExp(`^(?:${pattern})$`, 'u').test(value);
  return isFit ? undefined : `must fit the pattern ${pattern}`;
}

function numberProblem({ type, min, max }: ParamRule, value: number | undefined): string | undefined {
  if (value === undefined || !Number.isFinite(value)) return 'must be a number';
  if (type === 'integer' && !Number.isSafeInteger(value)) return 'must be a whole number';
  if (min !== undefined && value < min) return `must be at least ${min}`;
  return max !== undefined && value > max ? `must be at most ${max}` : undefined;
}

/** The rules of a model's parameters, by name. */
export type ParamRules = Readonly<Record<string, ParamRule>>;

/** @returns why a builder does not take these parameters, one line; undefined: it does */
export function paramsProblem(rules: ParamRules, params: JsonObject): string | undefined {
  for (const [name, value] of Object.entries(params)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const known = Object.keys(rules);
      const allowed = known.length === 0 ? 'the model has none' : `allowed: ${known.join(', ')}`;
      return `${JSON.stringify(name)} is no parameter; ${allowed}`;
    }
    const problem = paramProblem(rule, value);
    if (problem !== undefined) return `${name} ${problem}`;
  }
  return undefined;
}

/** What the builder gets: what is set, and the defaults of the rest. What has neither is left out. */
export function withDefaults(rules: ParamRules, params: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(rules).flatMap(([name, rule]): [string, Json][] => {
      const value = Object.hasOwn(params, name) ? params[name] : rule.default;
      if (value === undefined) return [];
      return [[name, typeof value === 'object' ? (numberOf(value) ?? value) : value]];
    }),
  );
}

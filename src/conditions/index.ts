/**
 * Conditions on records: expressions of CEL, the Common Expression Language (https://cel.dev). Pure. This file loads the library
 * that parses and judges them; record.ts has what they see, and does not.
 */
import {
  type ASTNode,
  Environment,
  EvaluationError,
  ParseError,
  TypeError as CelTypeError,
} from '@marcbachmann/cel-js';
import { didYouMean } from '../core/near.ts';
import { MATCHES, TOO_DEEP, prepare } from './prepare.ts';
import { matches } from './patterns.ts';
import type { ConditionFields } from './record.ts';

/** What an expression may name, with what it is. */
const FIELDS = {
  topic: 'string',
  partition: 'int',
  offset: 'int',
  timestamp: 'google.protobuf.Timestamp',
  key: 'dyn',
  headers: 'map<string, string>',
  value: 'dyn',
} as const satisfies Record<keyof ConditionFields, string>;

/** A condition that could not be judged counts as false. */
export type Verdict =
  | { kind: 'true' | 'false' }
  /** The record lacks a field that the condition asks for. */
  | { kind: 'lacking'; reason: string }
  /** Text compared with a number, … */
  | { kind: 'unjudged'; reason: string };

export interface Condition {
  readonly ast: ASTNode;
  /** Never throws. */
  judge(fields: ConditionFields): Verdict;
}

export interface ConditionProblem {
  /** What is wrong: `Unknown variable: rows`. */
  message: string;
  /** Where, from 0, in the expression. */
  at: number;
  /** What was most likely meant; empty: it is not known. */
  hints: readonly string[];
}

export type CompiledCondition = { ok: true; condition: Condition } | { ok: false; problem: ConditionProblem };

/**
 * Compiles `value.table == "party"`, `partition == 0 && value.is_success == false`, `"yyyymm" in headers`,
 * `value.partition.exists(p, p.value > "2017")`, and checks its types and names.
 */
export function compileCondition(expression: string): CompiledCondition {
  try {
    const program = environment.parse(expression);
    const problem = prepare(program.ast);
    if (problem !== undefined) return { ok: false, problem: { ...problem, hints: [] } };
    const { type, error } = program.check();
    if (error !== undefined) throw error;
    if (type !== 'bool' && type !== 'dyn') {
      const message = `it is ${type ?? 'nothing'}, not true or false`;
      return { ok: false, problem: { message, at: 0, hints: [] } };
    }
    return { ok: true, condition: { ast: program.ast, judge: (fields) => judge(program, fields) } };
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, problem: { message: TOO_DEEP, at: 0, hints: [] } };
    if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError))
      throw error;
    const { range } = error;
    const summary = plain(error.summary);
    return {
      ok: false,
      problem: { message: summary, at: range?.start ?? 0, hints: hintsFor(expression, summary) },
    };
  }
}

function judge(program: (fields: ConditionFields) => unknown, fields: ConditionFields): Verdict {
  // A million records may lack a field: their errors need no stack.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const verdict = program(fields);
    if (typeof verdict === 'boolean') return verdict ? TRUE : FALSE;
    return { kind: 'unjudged', reason: 'The expression is neither true nor false' };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'unjudged', reason: TOO_DEEP };
    // The library takes a field named "constructor" for the class of its object, and fails.
    if (error instanceof TypeError) return { kind: 'unjudged', reason: UNUSUAL };
    if (!(error instanceof EvaluationError || error instanceof CelTypeError)) throw error;
    return { kind: error.code === 'no_such_key' ? 'lacking' : 'unjudged', reason: plain(error.summary) };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** In the words of who wrote the expression. */
function plain(summary: string): string {
  return summary.replaceAll(MATCHES, 'matches');
}

const UNUSUAL = 'An object with a field named "constructor" cannot be judged';

const TRUE: Verdict = { kind: 'true' };
const FALSE: Verdict = { kind: 'false' };

const ARITHMETIC = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
};

function conditionEnvironment(): Environment {
  const made = new Environment({ homogeneousAggregateLiterals: false });
  for (const [name, type] of Object.entries(FIELDS)) made.registerVariable(name, type);
  // A number of JSON is a double, and an int where it is a whole one beyond 2^53: one expression meets both.
  for (const [sign, calculate] of Object.entries(ARITHMETIC)) {
    const mixed = (left: number | bigint, right: number | bigint): number =>
      calculate(Number(left), Number(right));
    made.registerOperator(`int ${sign} double: double`, mixed);
    made.registerOperator(`double ${sign} int: double`, mixed);
  }
  made.registerFunction(`string.${MATCHES}(string): bool`, matches);
  return made;
}

const environment = conditionEnvironment();

/** What other languages' habits make of it. */
function hintsFor(expression: string, summary: string): string[] {
  const unknown = /^Unknown variable: (\w+)/.exec(summary)?.[1];
  if (unknown !== undefined) {
    const near = didYouMean(unknown, Object.keys(FIELDS));
    return [
      `${near === undefined ? '' : `${near} `}It may name ${Object.keys(FIELDS).join(', ')};`,
      `a field of a JSON value is value.${unknown}.`,
    ];
  }
  if (/^\s*\./.test(expression)) return ['Fields begin without a dot: value.table, not .value.table.'];
  if (/[^=!<>]=[^=~]/.test(expression)) return ['Equality is ==.'];
  return /\b(and|or|not)\b/.test(expression) ? ['And, or, not are &&, || and !.'] : [];
}

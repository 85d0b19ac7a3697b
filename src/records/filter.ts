import { type Condition, compileCondition } from '../conditions/index.ts';
import { RecordFields } from '../conditions/record.ts';
import { UserError } from '../core/errors.ts';
import { fieldReader } from '../core/json-fields.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { nativeValue } from './json-value.ts';
import { requiredTexts } from './required-texts.ts';
import { valueFields } from './value-fields.ts';

/** Records that were left out for another reason than that the expression is false of them. */
export interface Doubt {
  count: number;
  /** Of the first of them; undefined: there is none. */
  reason: string | undefined;
}

/** So far. */
export interface Doubts {
  /** The expression could not be judged: text compared with a number, … */
  unjudged: Doubt;
  /** They lack a field that it asks for. Once some are known, not all are counted. */
  lacking: Doubt;
}

export interface Filter {
  keep(record: KafkaRecord): boolean;
  readonly doubts: Readonly<Doubts>;
}

/** The first records are judged in full, so that a misspelt field is noticed. */
const JUDGED_IN_FULL = 100;

/**
 * Compiles an expression of CEL, the Common Expression Language (https://cel.dev): `value.table == "party"`,
 * `partition == 0 && value.is_success == false`, `"yyyymm" in headers`, `value.partition.exists(p, p.value > "2017")`.
 *
 * A record that lacks a field which the expression asks for does not match.
 *
 * @throws UserError where the expression is not CEL, names something unknown or is not true or false
 */
export function compileFilter(expression: string): Filter {
  const condition = parse(expression);
  const required = requiredTexts(condition.ast).map((text) => Buffer.from(text));
  const parseValue = parserFor(condition);
  const doubts: Doubts = {
    unjudged: { count: 0, reason: undefined },
    lacking: { count: 0, reason: undefined },
  };
  const doubt = (kind: keyof Doubts, reason: string): false => {
    doubts[kind].count++;
    doubts[kind].reason ??= reason;
    return false;
  };
  let seen = 0;
  return {
    doubts,
    keep(record) {
      if (required.length > 0 && ++seen > JUDGED_IN_FULL && lacksOne(record.value, required)) return false;
      const verdict = condition.judge(new RecordFields(record, parseValue));
      return 'reason' in verdict ? doubt(verdict.kind, verdict.reason) : verdict.kind === 'true';
    },
  };
}

/** Parses a value as far as the expression sees it. */
function parserFor({ ast }: Condition): (value: Buffer | null) => unknown {
  const names = valueFields(ast);
  // What has a field of this name is judged in another way.
  const read = names === undefined ? undefined : fieldReader([...names, 'constructor']);
  if (read === undefined) return nativeValue;
  return (value) => (value === null ? undefined : read(value)) ?? nativeValue(value);
}

const BACKSLASH = 0x5c;

/** Whether a value cannot match, by its bytes alone: a required text is missing, and no escape can stand for it. */
function lacksOne(value: Buffer | null, required: readonly Buffer[]): boolean {
  return value !== null && !required.every((text) => value.includes(text)) && !value.includes(BACKSLASH);
}

function parse(expression: string): Condition {
  const compiled = compileCondition(expression);
  if (compiled.ok) return compiled.condition;
  const { message, at, hints } = compiled.problem;
  throw new UserError(`--filter: ${message}`, {
    why: [expression, `${' '.repeat(at)}^`, ...hints].join('\n'),
    next: [`--filter 'value.table == "party" && partition == 0'`, `--filter 'value.is_success == false'`],
  });
}

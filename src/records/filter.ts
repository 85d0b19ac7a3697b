import { listHeaders } from '../core/headers.ts';
import {
  Environment,
  EvaluationError,
  ParseError,
  type ParseResult,
  TypeError as CelTypeError,
} from '@marcbachmann/cel-js';
import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { nativeValue } from './json-value.ts';
import { requiredTexts } from './required-texts.ts';

/** What a filter may name, with what it is. */
const FIELDS = {
  topic: 'string',
  partition: 'int',
  offset: 'int',
  timestamp: 'google.protobuf.Timestamp',
  /** Text; null where there is none. */
  key: 'dyn',
  headers: 'map<string, string>',
  /** Parsed where it is JSON, else its text; null for a tombstone. */
  value: 'dyn',
} as const;

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
  const program = parse(filterEnvironment(), expression);
  const required = requiredTexts(program.ast).map((text) => Buffer.from(text));
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
      // A million records may lack a field: their errors need no stack.
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0;
      try {
        const verdict: unknown = program(new Fields(record));
        if (typeof verdict === 'boolean') return verdict;
        return doubt('unjudged', 'The expression is neither true nor false');
      } catch (error) {
        if (!(error instanceof EvaluationError || error instanceof CelTypeError)) throw error;
        return doubt(error.code === 'no_such_key' ? 'lacking' : 'unjudged', error.summary);
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
      }
    },
  };
}

const ARITHMETIC = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
};

function filterEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  for (const [name, type] of Object.entries(FIELDS)) environment.registerVariable(name, type);
  // A number of JSON is a double, and an int where it is a whole one beyond 2^53: one expression meets both.
  for (const [sign, calculate] of Object.entries(ARITHMETIC)) {
    const mixed = (left: number | bigint, right: number | bigint): number =>
      calculate(Number(left), Number(right));
    environment.registerOperator(`int ${sign} double: double`, mixed);
    environment.registerOperator(`double ${sign} int: double`, mixed);
  }
  return environment;
}

const BACKSLASH = 0x5c;

/** Whether a value cannot match, by its bytes alone: a required text is missing, and no escape can stand for it. */
function lacksOne(value: Buffer | null, required: readonly Buffer[]): boolean {
  return value !== null && !required.every((text) => value.includes(text)) && !value.includes(BACKSLASH);
}

function parse(environment: Environment, expression: string): ParseResult {
  try {
    const program = environment.parse(expression);
    const { type, error } = program.check();
    if (error !== undefined) throw error;
    if (type !== 'bool' && type !== 'dyn') {
      throw new UserError(`--filter ${expression} is ${type ?? 'nothing'}, not true or false`, {
        next: EXAMPLES,
      });
    }
    return program;
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError))
      throw error;
    throw new UserError(`--filter: ${error.summary}`, { why: explain(expression, error), next: EXAMPLES });
  }
}

const EXAMPLES = [
  `--filter 'value.table == "party" && partition == 0'`,
  `--filter 'value.is_success == false'`,
];

/** Where the error is, and what other languages' habits make of it. */
function explain(expression: string, error: ParseError | CelTypeError | EvaluationError): string {
  const at = error.range?.start ?? 0;
  const lines = [expression, `${' '.repeat(at)}^`];
  const unknown = /^Unknown variable: (\w+)/.exec(error.summary)?.[1];
  if (unknown !== undefined) {
    const near = didYouMean(unknown, Object.keys(FIELDS));
    lines.push(`${near === undefined ? '' : `${near} `}A filter may name ${Object.keys(FIELDS).join(', ')};`);
    lines.push(`a field of a JSON value is value.${unknown}.`);
  } else if (/^\s*\./.test(expression))
    lines.push('Fields begin without a dot: value.table, not .value.table.');
  else if (/[^=!<>]=[^=~]/.test(expression)) lines.push('Equality is ==.');
  else if (/\b(and|or|not)\b/.test(expression)) lines.push('And, or, not are &&, || and !.');
  return lines.join('\n');
}

/** What an expression sees of a record; each part is made only when it is asked for. */
class Fields {
  readonly #record: KafkaRecord;

  constructor(record: KafkaRecord) {
    this.#record = record;
  }

  get topic(): string {
    return this.#record.topic;
  }

  get partition(): bigint {
    return BigInt(this.#record.partition);
  }

  get offset(): bigint {
    return this.#record.offset;
  }

  get timestamp(): Date {
    return new Date(this.#record.timestamp);
  }

  get key(): string | null {
    return this.#record.key?.toString('utf8') ?? null;
  }

  get headers(): Record<string, string> {
    return Object.fromEntries(
      listHeaders(this.#record.headers).map(([name, value]) => [name, value?.toString('utf8') ?? '']),
    );
  }

  get value(): unknown {
    return nativeValue(this.#record.value);
  }
}

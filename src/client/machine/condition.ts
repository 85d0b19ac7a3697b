/** Conditions of needs. The library that compiles them is passed in, so that it is loaded only where there are some. */
import type { CompiledCondition, Condition } from '../../conditions/index.ts';
import type { TemplateResult } from '../../windows/index.ts';
import type { Arrived } from './arrival.ts';

/** `compileCondition` of src/conditions. */
export type ConditionCompiler = (expression: string) => CompiledCondition;

export interface NeedCondition {
  /** @returns why the message is as if it had not come; undefined: it counts */
  refuse(arrived: Arrived): string | undefined;
}

const EXAMPLE = "value.method == 'overwrite_partition' && value.rows > 0";

/** @param expression as it stands in hippo.yaml */
export function compileNeedCondition(
  expression: string,
  compile: ConditionCompiler,
): TemplateResult<NeedCondition> {
  const compiled = compile(expression);
  if (!compiled.ok) {
    const { message, at, hints } = compiled.problem;
    const where = at === 0 ? '' : ` (character ${at + 1})`;
    return {
      ok: false,
      message: `${message}${where}`,
      allowed: [`a condition such as ${EXAMPLE}`, ...(hints.length === 0 ? [] : [hints.join(' ')])].join(
        '. ',
      ),
    };
  }
  return {
    ok: true,
    value: { refuse: ({ record }) => refusalOf(expression, compiled.condition.judge(record)) },
  };
}

function refusalOf(expression: string, verdict: ReturnType<Condition['judge']>): string | undefined {
  switch (verdict.kind) {
    case 'true':
      return undefined;
    case 'false':
      return `the condition ${expression} is false`;
    case 'lacking':
    case 'unjudged':
      return `the condition ${expression} cannot be judged, so it counts as false: ${verdict.reason}`;
  }
}

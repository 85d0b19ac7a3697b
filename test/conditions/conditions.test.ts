import { expect, it } from 'vitest';
import { type Verdict, compileCondition } from '../../src/conditions/index.ts';
import type { Json } from '../../src/core/json.ts';

function judge(expression: string, value: Json): Verdict {
  const compiled = compileCondition(expression);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  const at = { topic: 't', partition: 0, offset: 0n, timestamp: new Date(0), key: null, headers: new Map() };
  return compiled.condition.judge({ ...at, value } as never);
}

it('a pattern that would backtrack takes no longer than any other', () => {
  expect(judge('value.a.matches("(a+)+$")', { a: `${'a'.repeat(34)}b` }).kind).toBe('false');
});

it.each([
  ['value.a.matches("^[0-9]{4}-")', 'true'],
  ['value.a.matches("^7")', 'false'],
  ['value.a.matches(value.pattern)', 'true'],
  ['value.list.exists(each, each.matches("^b"))', 'true'],
  ['value.n.matches("1")', 'unjudged'],
  ['value.a.matches(value.bad)', 'unjudged'],
])('%s is %s', (expression, kind) => {
  const value = { a: '2017-04', pattern: '-0.$', list: ['a', 'bc'], n: 1, bad: '(' };
  expect(judge(expression, value).kind).toBe(kind);
});

it.each([null, 5, {}])('a value with a field named constructor cannot be judged: %j', (constructor) => {
  expect(judge('value.a == 1', { a: 1, constructor })).toMatchObject({ kind: 'unjudged' });
});

it('a wrong pattern is an error of the expression, with its place', () => {
  expect(compileCondition('value.a == 1 || value.a.matches("(")')).toMatchObject({
    ok: false,
    problem: { message: '"(" is not a regular expression of RE2: missing closing )', at: 32 },
  });
});

it('a call of matches that fits no text is told by its own name', () => {
  expect(compileCondition('partition.matches("1")')).toMatchObject({
    problem: { message: expect.stringMatching(/\bmatches\(/) as string },
  });
});

it.each([
  ['a chain', Array.from({ length: 4_000 }, (_, n) => `value.a == ${n}`).join(' || ')],
  ['negations', `${'!'.repeat(20_000)}true`],
])('%s that is too long is a problem of the expression', (_, expression) => {
  expect(compileCondition(expression)).toMatchObject({
    ok: false,
    problem: { message: expect.stringContaining('too long or too deep') as string },
  });
});

import { expect, test } from 'vitest';
import { compileCondition } from '../../src/conditions/index.ts';
import { valueFields } from '../../src/records/value-fields.ts';

function fields(expression: string): string[] | undefined {
  const compiled = compileCondition(expression);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  const found = valueFields(compiled.condition.ast);
  return found === undefined ? undefined : [...found].sort();
}

test.each([
  ['value.exec_date > "1494390000"', ['exec_date']],
  ['value["a b"] == 1 && has(value.c)', ['a b', 'c']],
  ['value.partition.exists(p, p.name == "yyyymm" && p.value > value.since)', ['partition', 'since']],
  [
    'value.a[0].b == 1 || size(value.list) > 2 ? value.x : value.y in [value.z]',
    ['a', 'list', 'x', 'y', 'z'],
  ],
  ['value.table.matches("^par")', ['table']],
  ['partition == 0 && headers.value == "x"', []],
])('%s reads %j', (expression, expected) => {
  expect(fields(expression)).toEqual(expected);
});

test.each([
  'value == "plain"',
  '"a" in value',
  'size(value) == 3',
  'value[key] == 1',
  'value.list.exists(value, value.x > 3)',
  '{"a": value.a, "b": value} == {}',
  'value.size() == 3',
])('%s needs the whole value', (expression) => {
  expect(fields(expression)).toBeUndefined();
});

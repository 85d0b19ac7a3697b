import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/core/json.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { paramProblem, paramsProblem, withDefaults } from '../../src/messages/params.ts';

describe('a parameter', () => {
  test.each([
    [{ type: 'number', min: 0, max: 10 }, 0.5, undefined],
    [{ type: 'number', min: 0 }, -1, 'must be at least 0'],
    [{ type: 'number' }, '1', 'must be a number'],
    [{ type: 'number' }, Infinity, 'must be a number'],
    [{ type: 'integer' }, 1.5, 'must be a whole number'],
    [{ type: 'boolean' }, true, undefined],
    [{ type: 'boolean' }, 'true', 'must be true or false'],
    [{ type: 'text', values: ['a', 'b'] }, 'b', undefined],
    [{ type: 'text', values: ['a', 'b'] }, 'c', 'must be one of a, b'],
    [{ type: 'text', pattern: 'a|b+' }, 'bb', undefined],
    [{ type: 'text', pattern: 'a|b+' }, 'abb; rm', 'must fit the pattern a|b+'],
    [{ type: 'text', pattern: '.*' }, 'x'.repeat(1_001), 'must have at most 1000 characters'],
  ] as const)('%j takes %j: %s', (rule, value, problem) => {
    expect(paramProblem(rule, value)).toBe(problem);
  });
});

describe('the parameters of a message', () => {
  const rules = {
    reg_param: { type: 'number', min: 0, default: 0.01 },
    depth: { type: 'integer' },
  } as const;

  test.each([
    [{}, undefined],
    [{ reg_param: 1, depth: 3 }, undefined],
    [{ reg_param: -1 }, 'reg_param must be at least 0'],
    [{ RegParam: 1 }, '"RegParam" is no parameter; allowed: reg_param, depth'],
    [JSON.parse('{"__proto__": 1}') as JsonObject, '"__proto__" is no parameter; allowed: reg_param, depth'],
  ])('%j', (params, problem) => {
    expect(paramsProblem(rules, params)).toBe(problem);
  });

  test('of a model that has none', () => {
    expect(paramsProblem({}, { a: 1 })).toBe('"a" is no parameter; the model has none');
  });

  test('get the defaults of what they do not set; numbers as JSON has them are plain ones', () => {
    expect(withDefaults(rules, {})).toEqual({ reg_param: 0.01 });
    expect(withDefaults(rules, parseJson('{"depth": 3, "reg_param": 1.10}') as JsonObject)).toEqual({
      reg_param: 1.1,
      depth: 3,
    });
  });
});

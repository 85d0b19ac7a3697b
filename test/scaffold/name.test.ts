import { describe, expect, it } from 'vitest';
import { nameProblem } from '../../src/scaffold/name.ts';

describe('the name of a hippo', () => {
  it.each(['flights', 'uat.project', 'gp_001', 'A-b.C', '42', 'x'.repeat(100)])('may be %s', (name) => {
    expect(nameProblem(name, ['batch-etl'])).toBeUndefined();
  });

  it.each([
    ['', /a name has letters/],
    ['-x', /a name has letters/],
    ['.x', /a name has letters/],
    ['..', /a name has letters/],
    ['a/b', /a name has letters/],
    ['a b', /a name has letters/],
    ['河馬', /a name has letters/],
    ['x'.repeat(101), /a name has letters/],
    ['x.', /dot/],
    ['batch-etl', /is a type of hippo/],
    ['hippo', /something else/],
    ['node_modules', /something else/],
    ['NUL', /Windows/],
    ['com1.x', /Windows/],
    ['hippo.yaml', /name of a file/],
  ])('may not be %j', (name, problem) => {
    expect(nameProblem(name, ['batch-etl'])).toMatch(problem);
  });
});

import { describe, expect, it, test } from 'vitest';
import { chosen } from '../../src/model/promote.ts';
import { readParams } from '../../src/model/build.ts';
import type { ModelState } from '../../src/state/index.ts';

describe('--param', () => {
  it('is read as its type says; of another hippo numbers, true and false are read as such', () => {
    const rules = { name: { type: 'text', values: ['1', 'a'] }, depth: { type: 'integer' } } as const;
    expect(readParams(['name=1', 'depth=3'], rules)).toEqual({ name: '1', depth: 3 });
    expect(readParams(['a=1.5e-3', 'b=true', 'c=x=y', 'd=', 'e=-1'], undefined)).toEqual({
      a: 0.0015,
      b: true,
      c: 'x=y',
      d: '',
      e: -1,
    });
  });

  test.each([
    [['depth'], '--param "depth" is not NAME=VALUE'],
    [['=3'], '--param "=3" is not NAME=VALUE'],
    [['a=1', 'a=2'], '--param a is given twice'],
  ])('%j is refused', (words, message) => {
    expect(() => readParams(words, undefined)).toThrow(message);
  });
});

describe('the version that is to serve', () => {
  const versions = ['v1', 'v2', 'v3'].map((version) => ({
    ...{ version, builtAt: 0, jobId: 'build_1', metrics: {}, rows: null, parent: null },
    ...{ promoted: true, why: '', manifestSha256: null },
  }));
  const state: ModelState = {
    ...{ serving: 'v2', previous: 'v1', since: 0, by: null, reason: null, retired: ['v0'], versions },
  };

  it('is the one before, or the one that is named', () => {
    expect(chosen(null, state, 'iris')).toBe('v1');
    expect(chosen('v3', state, 'iris')).toBe('v3');
  });

  test.each<[string | null, ModelState | undefined, string, number]>([
    [null, undefined, 'iris has no version to roll back to', 1],
    [null, { ...state, previous: null }, 'iris has no version to roll back to', 1],
    ['v0', state, 'v0 is retired', 1],
    ['v2', state, 'v2 serves already', 1],
    ['v9', state, 'iris has no version v9', 2],
  ])('%s cannot be', (asked, of, message, exitCode) => {
    expect(() => chosen(asked, of, 'iris')).toThrow(expect.objectContaining({ message, exitCode }) as Error);
  });
});

import { expect, test } from 'vitest';
import { servedIn } from '../../../../src/client/host/services/readiness.ts';

test.each<[string, Record<string, string>]>([
  ['iris=20261128T234539Z-d2680d', { iris: '20261128T234539Z-d2680d' }],
  ['iris=v1, movies=v2', { iris: 'v1', movies: 'v2' }],
  ['', {}],
  ['iris', {}],
  ['iris=a b, ../x=v, movies=v2', { movies: 'v2' }],
  [`iris=${'v'.repeat(101)}`, {}],
])('%j says what is served', (header, served) => {
  expect(servedIn(header)).toEqual(served);
});

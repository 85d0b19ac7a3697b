import { expect, it } from 'vitest';
import { readDocument } from '../../src/config/document.ts';
import { ConfigError } from '../../src/config/problems.ts';

function problems(yaml: string): string[] {
  try {
    readDocument(yaml, 'hippo.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(
      ({ place: { line = 0, column = 0, key = '' }, message }) => `${line}:${column} ${key} ${message}`,
    );
  }
}

const EMPTY = 'is empty; write its value, or remove it';

it.each([
  ['jobs:\n  load: null', `2:3 jobs.load ${EMPTY}`],
  ['sources: { s: , t: ~ }', `1:12 sources.s ${EMPTY}`, `1:17 sources.t ${EMPTY}`],
  ['jobs: { a: { env: { HOME: } } }', `1:21 jobs.a.env.HOME ${EMPTY}`],
  [
    'jobs: { a: { needs: [{ table: a.b, partition: { dt: } }] } }',
    `1:49 jobs.a.needs[0].partition.dt ${EMPTY}`,
  ],
])('names what has a name and no value: %s', (yaml, ...expected) => {
  expect(problems(yaml)).toEqual(expected);
});

it.each(['kafka:', 'jobs:\nsources:\nprofiles:', 'client: { http: }', ''])(
  'takes an empty section for one that is left out: %s',
  (yaml) => {
    expect(problems(yaml)).toEqual([]);
  },
);

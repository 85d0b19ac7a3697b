import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { inputRoles, usedRoles } from '../../src/config/topics.ts';
import { UserError } from '../../src/core/errors.ts';

async function load(models: string, profile?: string) {
  const directory = mkdtempSync(join(tmpdir(), 'hippo-models-'));
  writeFileSync(join(directory, 'hippo.yaml'), `name: flowers\njobs: { build: {} }\n${models}`);
  return loadConfig({ cwd: directory, env: {}, profile });
}

async function problemsOf(models: string): Promise<string> {
  const error = await load(models).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) return '';
  return [error.message, error.why, error.place?.key].filter(Boolean).join(' | ');
}

const iris = (fields: string): string => `models: { iris: { builder: build, location: m, ${fields} } }`;

test('what is left out has defaults', async () => {
  const { config } = await load('models: { iris: { builder: build, location: data/models/iris } }');
  expect(config.models).toEqual({
    iris: {
      builder: 'build',
      location: 'data/models/iris',
      keep: { versions: 10, age: 90 * 86_400_000 },
      params: {},
    },
  });
  const promoted = await load(iris('promote: { metric: accuracy }'));
  expect(promoted.config.models['iris']?.promote).toEqual({
    metric: 'accuracy',
    better: 'higher',
    margin: 0,
  });
});

test('a profile may put the versions elsewhere', async () => {
  const { config } = await load(
    `${iris('keep: { versions: 3 }')}\nprofiles: { prod: { models: { iris: { location: 's3a://lake/iris' } } } }`,
    'prod',
  );
  expect(config.models['iris']).toMatchObject({ location: 's3a://lake/iris', keep: { versions: 3 } });
});

test.each([
  'data/models',
  '/srv/models',
  'file:///srv/models',
  'hdfs://nn:9000/models',
  'hdfs:///m',
  's3a://lake/m',
  's3://lake',
])('%s is a location', async (location) => {
  await expect(load(`models: { iris: { builder: build, location: '${location}' } }`)).resolves.toBeDefined();
});

test.each([
  ['models: { Iris: { builder: build, location: m } }', 'lower case letters'],
  ["models: { iris: { builder: build, location: 'https://a/b' } }", 'must be a folder'],
  ["models: { iris: { builder: build, location: 'hdfs://me:secret@nn/b' } }", 'must be a folder'],
  [iris('promote: { metric: accuracy, better: most }'), 'must be one of higher, lower'],
  [iris('promote: { metric: accuracy, margin: -1 }'), 'must be at least 0'],
  [iris('keep: { versions: 0 }'), 'must be at least 1'],
  [iris('params: { x: { type: float } }'), 'must be one of number, integer, text, boolean'],
  [iris('params: { x: { type: text } }'), 'a text needs values or pattern'],
  [iris('params: { x: { type: text, values: [a], pattern: b } }'), 'leave one of them out'],
  [iris('params: { x: { type: boolean, min: 1 } }'), 'goes with type: number or integer'],
  [iris('params: { x: { type: number, values: [a] } }'), 'goes with type: text'],
  [iris('params: { x: { type: number, min: 2, max: 1 } }'), 'is less than min, which is 2'],
  [iris('params: { x: { type: number, max: 1, default: 2 } }'), 'must be at most 1'],
  [iris('params: { 1x: { type: number } }'), 'not beginning with a digit'],
  [iris('metric: accuracy'), 'is no key here'],
])('%s cannot be', async (models, message) => {
  expect(await problemsOf(models)).toContain(message);
});

test('the topic of models is read by hippos that have a model, and needed by no other', async () => {
  const { config } = await load(iris(''));
  expect(inputRoles(config)).toContain('model');
  expect(usedRoles(config)).toContain('model');
  const without = await load('');
  expect(inputRoles(without.config)).not.toContain('model');
  expect(usedRoles(without.config)).not.toContain('model');
});

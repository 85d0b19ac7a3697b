import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { writeStackFile } from '../../src/config/stack-file.ts';
import { stackTopicSpecs } from '../../src/kafka/topics.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hippo-stack-'));
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function load(
  yaml: string,
  more: Partial<Parameters<typeof loadConfig>[0]> = {},
): Promise<LoadedConfig> {
  await writeFile(join(project, 'hippo.yaml'), yaml);
  return loadConfig({ cwd: project, env: {}, ...more });
}

const STACK = {
  version: 1,
  brokers: [],
  kafka: null,
  spark: null,
  environment: { DATABASE_URL: 'postgres://hippo:x@127.0.0.1:5/hippo' },
  startedAt: '',
} as const;
const NAMES_IT = 'jobs: { load: { run: ./load, env: { SHOP: "${DATABASE_URL}" } } }';

describe('the section stack', () => {
  test('may be overridden by a profile', async () => {
    const yaml =
      'stack: { with: [postgres], jars: ["g:a:1"] }\nprofiles: { prod: { stack: { with: [] } } }\n';
    expect((await load(yaml)).config.stack).toEqual({ with: ['postgres'], jars: ['g:a:1'], topics: {} });
    expect((await load(yaml, { profile: 'prod' })).config.stack).toEqual({
      with: [],
      jars: ['g:a:1'],
      topics: {},
    });
  });

  test.each([
    ['with: [redis]', 'stack.with[0] must be one of postgres'],
    ['jars: ["org.postgresql:postgresql"]', 'must be GROUP:ARTIFACT:VERSION'],
    ['jars: ["a:..:1"]', 'must be GROUP:ARTIFACT:VERSION'],
    ['topics: { "a b": {} }', 'must be a Kafka topic name'],
    ['topics: { a: { partitions: 0 } }', 'stack.topics.a.partitions'],
  ])('%s is refused', async (section, message) => {
    await expect(load(`stack: { ${section} }`)).rejects.toThrow(message);
  });
});

describe('the topics of the section stack', () => {
  const yaml =
    'stack: { topics: { shop.events: { partitions: 3 }, shop.totals: { config: { retention.ms: 5 } } } }';

  test('have one partition unless it says more, and its settings', async () => {
    const { config } = await load(yaml);
    expect(stackTopicSpecs(config.stack)).toEqual([
      { topic: 'shop.events', partitions: 3, replicationFactor: 1, config: {} },
      { topic: 'shop.totals', partitions: 1, replicationFactor: 1, config: { 'retention.ms': '5' } },
    ]);
  });

  test('are kept on three brokers where there are so many', async () => {
    const { config } = await load(yaml);
    expect(stackTopicSpecs(config.stack, 4)[0]).toEqual({
      topic: 'shop.events',
      partitions: 3,
      replicationFactor: 3,
      config: { 'min.insync.replicas': '2' },
    });
  });
});

describe('variables of the local stack', () => {
  test('are used where the environment has none', async () => {
    await writeStackFile(project, { ...STACK, brokers: [] });
    const loaded = await load(NAMES_IT);
    expect(loaded.config.jobs['load']?.env).toEqual({ SHOP: STACK.environment.DATABASE_URL });
    expect(loaded.environment).toEqual(STACK.environment);
  });

  test('give way to those of the environment, unless they are empty', async () => {
    await writeStackFile(project, { ...STACK, brokers: [] });
    const own = await load(NAMES_IT, { env: { DATABASE_URL: 'postgres://db/own' } });
    expect(own.config.jobs['load']?.env).toEqual({ SHOP: 'postgres://db/own' });
    expect(own.environment).toEqual({});
    const empty = await load(NAMES_IT, { env: { DATABASE_URL: '' } });
    expect(empty.environment).toEqual(STACK.environment);
  });

  test('that are not there are missing, and a damaged stack.json has none', async () => {
    const missing = 'needs the environment variable DATABASE_URL, which is not set';
    await expect(load(NAMES_IT)).rejects.toThrow(missing);
    await mkdir(join(project, '.hippo'));
    await writeFile(join(project, '.hippo', 'stack.json'), '{"version":');
    await expect(load(NAMES_IT)).rejects.toThrow(missing);
  });

  test('may be assumed, by what is about to start the stack', async () => {
    const loaded = await load(NAMES_IT, { assumed: { DATABASE_URL: 'postgres://assumed' } });
    expect(loaded.config.jobs['load']?.env).toEqual({ SHOP: 'postgres://assumed' });
    expect(loaded.environment).toEqual({});
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { reportConfig } from '../../src/config/report.ts';
import type { Window } from '../../src/windows/calendar.ts';
import type { Config } from '../../src/config/schema.ts';
import { compileProject } from '../../src/client/host/project.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hippo-texts-'));
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function load(yaml: string, profile?: string): ReturnType<typeof loadConfig> {
  await writeFile(join(project, 'hippo.yaml'), yaml);
  return loadConfig({ cwd: project, env: {}, profile });
}

const config = async (yaml: string, profile?: string): Promise<Config> => (await load(yaml, profile)).config;

const job = (more: string): string => `jobs: { load: { needs: [{ table: a.b }], ${more} } }`;
describe('a plain scalar, where text is wanted, is the text that is written', () => {
  test.each<[where: string, yaml: string, find: (config: Config) => unknown, expected: unknown]>([
    [
      'env',
      job('env: { V: 1.10, E: 1e3, B: True, Z: 007 }'),
      ({ jobs }) => jobs['load']?.env,
      { V: '1.10', E: '1e3', B: 'True', Z: '007' },
    ],
    [
      'args',
      job('args: [--retries, 0x1F, 1.10, 9007199254740993, .5, +1, .inf]'),
      ({ jobs }) => jobs['load']?.args,
      ['--retries', '0x1F', '1.10', '9007199254740993', '.5', '+1', '.inf'],
    ],
    ['run', job('run: [spark-submit, 1.0]'), ({ jobs }) => jobs['load']?.run, ['spark-submit', '1.0']],
    [
      'a partition of trigger',
      'trigger: { partition: { hour: 06, day: 010 } }',
      ({ trigger }) => trigger.partition,
      { hour: '06', day: '010' },
    ],
    ['the name', 'name: 1.10', ({ name }) => name, '1.10'],
    [
      'a password',
      'kafka: { sasl: { mechanism: plain, username: 0042, password: 1e10 } }',
      ({ kafka }) => kafka.sasl,
      { mechanism: 'plain', username: '0042', password: '1e10' },
    ],
    [
      'the passphrase of a key, one of two kinds of value',
      'kafka: { tls: { key_passphrase: 007 } }',
      ({ kafka }) => kafka.tls,
      { key_passphrase: '007' },
    ],
    [
      'the key of a mapping',
      job('env: { 007: a, 1.10: b, True: c }'),
      ({ jobs }) => Object.keys(jobs['load']?.env ?? {}).sort(),
      ['007', '1.10', 'True'],
    ],
    [
      'the name of a job',
      'jobs: { 007: { needs: [{ table: a.b }] } }',
      ({ jobs }) => Object.keys(jobs),
      ['007'],
    ],
    [
      'what an alias stands for',
      job('env: { A: &v 1.10, B: *v }'),
      ({ jobs }) => jobs['load']?.env,
      { A: '1.10', B: '1.10' },
    ],
    [
      'what a merge key brings',
      `trigger: { partition: &p { hour: 06 } }\n${job('env: { <<: *p, B: 01 }')}`,
      ({ jobs }) => jobs['load']?.env,
      { hour: '06', B: '01' },
    ],
    [
      'a time of day of YAML 1.1',
      '%YAML 1.1\n---\ncalendar: { day_starts: 22:00 }',
      ({ calendar }) => calendar.day_starts,
      '22:00',
    ],
    [
      'a date of YAML 1.1',
      `%YAML 1.1\n---\n${job('env: { D: 2017-04-28, N: no }')}`,
      ({ jobs }) => jobs['load']?.env,
      { D: '2017-04-28', N: 'no' },
    ],
  ])('%s', async (_, yaml, find, expected) => {
    expect(find(await config(yaml))).toEqual(expected);
  });

  test('in a profile, and in its name', async () => {
    const yaml =
      'profiles: { 1.10: { topics: { prefix: 2.0 }, kafka: { sasl: { mechanism: plain, username: u, password: 0123 } } } }';
    expect(await config(yaml, '1.10')).toMatchObject({
      topics: { prefix: '2.0' },
      kafka: { sasl: { password: '0123' } },
    });
  });

  test('in the partitions that a job needs', async () => {
    const loaded = await load(
      `jobs: { load: { every: day, needs: [
        { each: { hour: [00, 06, 1.10] }, table: a.b, partition: { dt: '{{ window }}', hour: '{{ hour }}' } },
        { table: c.d, partition: { dt: '{{ window }}', version: 1.10 } }] } }`,
    );
    const groups = (await compileProject(loaded)).definition.jobs.get('load')?.groups ?? [];
    const slot = { key: '2017-04-28', window: { date: Date.UTC(2017, 3, 28) } as Window };
    expect(groups.flatMap(({ members }) => members.map((member) => member.expects(slot)))).toEqual([
      'dt=2017-04-28/hour=00',
      'dt=2017-04-28/hour=06',
      'dt=2017-04-28/hour=1.10',
      'dt=2017-04-28/version=1.10',
    ]);
  });

  test('as `hippo config` shows it', async () => {
    const loaded = await load(job('env: { V: 1.10 }'));
    const { values } = reportConfig(loaded, {}, { section: 'jobs.load.env' });
    expect(values).toMatchObject([
      { key: 'jobs.load.env.V', value: '1.10', origin: { line: 1, column: 52 } },
    ]);
  });
});

describe('where a number or a boolean is wanted, it stays one', () => {
  test.each<[yaml: string, find: (config: Config) => unknown, expected: unknown]>([
    [job('concurrency: 02'), ({ jobs }) => jobs['load']?.concurrency, 2],
    [job('timeout: 010'), ({ jobs }) => jobs['load']?.timeout, 10_000],
    ['kafka: { tls: true }', ({ kafka }) => kafka.tls, true],
    ['client: { http: false }', ({ client }) => client.http, false],
    [job('env: { V: !!float 1.10 }'), ({ jobs }) => jobs['load']?.env, { V: '1.1' }],
    [job('env: { V: "1.10" }'), ({ jobs }) => jobs['load']?.env, { V: '1.10' }],
  ])('%s', async (yaml, find, expected) => {
    expect(find(await config(yaml))).toEqual(expected);
  });
});

test('a byte order mark is not part of hippo.yaml', async () => {
  const loaded = await load('\u{feff}name: etl');
  expect(loaded.config.name).toBe('etl');
  expect(loaded.place(['name'])).toMatchObject({ line: 1, column: 7 });
});

test('a hippo.yaml in UTF-16 is named as such', async () => {
  await writeFile(join(project, 'hippo.yaml'), Buffer.from('\u{feff}name: etl', 'utf16le'));
  await expect(loadConfig({ cwd: project, env: {} })).rejects.toMatchObject({
    message: 'hippo.yaml cannot be read',
    why: 'it is UTF-16; it must be UTF-8',
    next: ['iconv -f UTF-16 -t UTF-8 hippo.yaml > hippo.yaml.utf8'],
  });
});

test.each([
  [job('env: { 1: a, "1": b }'), 'hippo.yaml is not YAML'],
  ['name: 5 5/', 'name must be letters'],
])('%s is still refused', async (yaml, message) => {
  await expect(load(yaml)).rejects.toThrow(message);
});

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hippo } from './support/cli.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hippo-startup-'));
});

afterEach(() => rm(cache, { recursive: true, force: true }));

describe('what is loaded', () => {
  /** The files of dist/, the packages and Node's modules whose code a command line has run. */
  async function loaded(argv: readonly string[]): Promise<Set<string>> {
    const folder = join(cache, 'coverage');
    const env = { NODE_V8_COVERAGE: folder, HIPPO_CACHE: cache, HIPPO_BROKERS: '127.0.0.1:1' };
    await hippo(argv, { env });
    const [file = ''] = await readdir(folder);
    const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as Coverage;
    const ours = result.filter(({ url }) => url.includes('/dist/'));
    // esbuild gives a module's code the module's path as its name.
    const called = ours.flatMap(({ functions }) => functions.filter(({ ranges }) => ranges[0]?.count !== 0));
    const modules = called.map(({ functionName }) => functionName);
    return new Set([
      ...ours.map(({ url }) => basename(url)),
      ...modules.flatMap((name) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []),
      ...result.map(({ url }) => url).filter((url) => /^node:[a-z]+$/.test(url)),
    ]);
  }

  test.each([[['--version']], [['--help']], [['trigger', '--help']], [['job', '--help']]])(
    'hippo %j: the front door alone',
    async (argv) => {
      const all = await loaded(argv);
      expect([...all].filter((name) => !name.startsWith('node:'))).toEqual(['cli.cjs']);
    },
  );

  const EXPENSIVE = ['kafkajs', 'execa', 'valibot', 'luxon', 'listr2', 'node:crypto', 'node:tls'];

  test.each([
    ['triger', []],
    ['schema', ['valibot']],
    ['tractor', ['kafkajs', 'valibot']],
    ['up --dry-run', ['execa', 'valibot', 'listr2']],
  ])('hippo %s: of what takes long to load %j', async (line, expected) => {
    const all = await loaded(line.split(' '));
    expect(all).toContain('commands.cjs');
    expect(EXPENSIVE.filter((name) => all.has(name)).sort()).toEqual(expected.sort());
  });

  test('a command that does not scan S3 does not load the SDK of AWS', async () => {
    const file = join(cache, 'hippo.yaml');
    await writeFile(
      file,
      'sources: { clicks: { table: web.clicks, s3: { url: s3://lake/clicks }, levels: dt=* } }',
    );
    const all = await loaded(['source', 'list', '--config', file]);
    expect(all).toContain('commands.cjs');
    expect(all).not.toContain('aws.cjs');
  });
});

/** What Node writes for NODE_V8_COVERAGE. Functions that were not called are left out of a file's list, or count 0. */
interface Coverage {
  result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
}

describe('the compiled code', () => {
  const dryRun = ['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704', '--dry-run', '--json'];
  const run = (): ReturnType<typeof hippo> =>
    hippo(dryRun, { env: { HIPPO_CACHE: cache, HIPPO_BROKERS: '' }, cwd: cache });
  const kept = async (): Promise<string[]> => (await readdir(join(cache, 'code'))).sort();

  test('is kept when the command has succeeded', async () => {
    const first = await run();
    expect(first.exitCode).toBe(0);
    const [file, ...others] = await kept();
    expect(file).toMatch(/^trigger-/);
    expect(others).toEqual([]);
    expect(JSON.parse((await run()).stdout)).toMatchObject({ key: 'btd.party' });
    expect(await kept()).toEqual([file]);
  });

  test('that a command has called before it failed is replaced when the command succeeds', async () => {
    const fail = (): ReturnType<typeof hippo> =>
      hippo([...dryRun, '--nonsense'], { env: { HIPPO_CACHE: cache } });
    expect((await fail()).exitCode).toBe(2);
    const [failed, ...others] = await kept();
    expect(failed).toMatch(/^trigger-.*-failed$/);
    expect(others).toEqual([]);
    expect((await run()).exitCode).toBe(0);
    const both = await kept();
    expect(both).toEqual([failed?.replace('-failed', ''), failed]);
    await fail();
    expect(await kept()).toEqual(both);
  });

  test('is written anew where it is damaged or of another Node', async () => {
    await run();
    const [file = ''] = await kept();
    const path = join(cache, 'code', file);
    const sound = await readFile(path);
    const bent = Buffer.from(sound);
    bent.fill(0xff, sound.length / 2, sound.length / 2 + 100);
    for (const damaged of [bent, sound.subarray(0, sound.length / 2), Buffer.alloc(0)]) {
      await writeFile(path, damaged);
      expect((await run()).exitCode).toBe(0);
      expect((await readFile(path)).length).toBeGreaterThan(sound.length * 0.9);
    }
  });

  test('is done without where it cannot be kept', async () => {
    await writeFile(join(cache, 'code'), 'a file, not a folder');
    expect((await run()).exitCode).toBe(0);
  });
});

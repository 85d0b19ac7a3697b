import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hippo } from './support/cli.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hippo-startup-'));
});

afterEach(() => rm(cache, { recursive: true, force: true }));

/** Words that only the code of a package has. */
const MARKS = {
  kafkajs: 'KafkaJSConnectionError',
  execa: 'ExecaError',
  valibot: 'safeParse',
  luxon: 'IANAZone',
  listr2: 'ListrError',
};

describe('what is loaded', () => {
  const preload = fileURLToPath(new URL('support/loaded-files.mjs', import.meta.url));

  /** The packages whose code a command line has read. */
  async function loaded(argv: readonly string[]): Promise<string[]> {
    const list = join(cache, 'loaded');
    await hippo(argv, {
      env: {
        NODE_OPTIONS: `--import ${preload}`,
        HIPPO_LOADED: list,
        HIPPO_CACHE: cache,
        HIPPO_BROKERS: '127.0.0.1:1',
      },
    });
    const files = (await readFile(list, 'utf8')).trim().split('\n');
    const code = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
    return Object.entries(MARKS)
      .filter(([, mark]) => code.includes(mark))
      .map(([name]) => name);
  }

  test.each([[['--version']], [['--help']], [['trigger', '--help']], [['job', '--help']], [['triger']]])(
    'hippo %j: no Kafka, no child processes, no schema, no calendar',
    async (argv) => {
      expect(await loaded(argv)).toEqual([]);
    },
  );

  test('hippo schema: the schema', async () => {
    expect(await loaded(['schema'])).toEqual(['valibot']);
  });

  test('hippo tractor: Kafka, and no child processes', async () => {
    const packages = await loaded(['tractor']);
    expect(packages).toContain('kafkajs');
    expect(packages).toContain('valibot');
    expect(packages).not.toContain('execa');
  });

  test('hippo up: child processes and a list of tasks', async () => {
    const packages = await loaded(['up', '--dry-run']);
    expect(packages).toContain('execa');
    expect(packages).not.toContain('luxon');
  });
});

describe('the compiled code of a command that many wait for', () => {
  const dryRun = ['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704', '--dry-run', '--json'];
  const run = (): ReturnType<typeof hippo> =>
    hippo(dryRun, { env: { HIPPO_CACHE: cache, HIPPO_BROKERS: '' }, cwd: cache });
  const kept = async (): Promise<string[]> => (await readdir(join(cache, 'code'))).sort();

  test('is kept for the next time when the command has succeeded', async () => {
    const first = await run();
    expect(first.exitCode).toBe(0);
    const [file, ...others] = await kept();
    expect(file).toMatch(/^trigger-/);
    expect(others).toEqual([]);
    expect(JSON.parse((await run()).stdout)).toMatchObject({ key: 'btd.party' });
    expect(await kept()).toEqual([file]);
  });

  test('is not kept of a command that failed: it has come to little', async () => {
    expect((await hippo([...dryRun, '--nonsense'], { env: { HIPPO_CACHE: cache } })).exitCode).toBe(2);
    await expect(kept()).rejects.toThrow('ENOENT');
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

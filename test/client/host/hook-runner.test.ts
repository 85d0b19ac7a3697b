import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { execa } from '../../../src/core/exec.ts';
import { parseJson } from '../../../src/core/json.ts';
import type { HookOutcome, HookRun } from '../../../src/client/hooks.ts';
import { asDecision, loadHooks } from '../../../src/client/host/hook-runner.ts';

const HOOK_RUNNER = fileURLToPath(new URL('../../../src/client/host/hook-runner.ts', import.meta.url));

const run: HookRun = {
  hippo: 'flights',
  job: 'load',
  runKey: '201704',
  jobId: 'load_1493394946',
  attempt: 1,
  attemptId: 'a',
  window: null,
  program: './start-spark.sh',
  args: ['--day', '2017-04-28'],
  env: {},
  inputs: [],
};
const outcome: HookOutcome = { status: 'succeeded', exitCode: 0, durationMs: 1, logFile: 'log' };

async function hooks(text: string, file = 'client-app/client.ts', deadline?: number) {
  return loadHooks(await project(text, file), deadline);
}

async function project(text: string, file = 'client-app/client.ts'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-hooks-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return directory;
}

/** In a Node of its own: what the tests' one imports has been through a bundler. */
async function decisionOnNode(text: string): Promise<string> {
  const code = `
    const { loadHooks } = await import(${JSON.stringify(HOOK_RUNNER)});
    const { beforeSubmit } = await loadHooks(process.argv[1]);
    console.log(JSON.stringify(await beforeSubmit(JSON.parse(process.argv[2]))));`;
  const args = ['--input-type=module', '-e', code, '--', await project(text), JSON.stringify(run)];
  const { stdout, stderr } = await execa(process.execPath, args, { reject: false });
  return stdout === '' ? stderr : stdout;
}

describe('the hooks of a project', () => {
  it('get whole numbers beyond 2^53 as bigints', async () => {
    const runner = await hooks(`
      import { writeFileSync } from 'node:fs';
      export default {
        afterFinish({ env }, { result }) {
          writeFileSync(env.FILE, [typeof result.max, result.max, typeof result.price, result.price].join(' '));
        },
      };`);
    const file = join(await project(''), 'seen');
    const result = parseJson('{"max":9223372036854775807,"price":1.10}');
    await runner.afterFinish({ ...run, env: { FILE: file } }, { ...outcome, result });
    expect(await readFile(file, 'utf8')).toBe('bigint 9223372036854775807 number 1.1');
  });

  it('are TypeScript, as it is', async () => {
    const decision = await decisionOnNode(`
      import { basename } from 'node:path';
      type Run = { readonly args: readonly string[]; program: string };
      export default {
        async beforeSubmit(run: Run): Promise<{ args: string[] }> {
          return { args: [...run.args, basename(run.program) as string] };
        },
      } satisfies object;`);
    expect(decision).toBe('{"args":["--day","2017-04-28","start-spark.sh"]}');
  });

  it('are not what needs a build', async () => {
    expect(await decisionOnNode('enum Colour { Red }; export default {};')).toContain(
      'the hooks in client-app/client.ts cannot be loaded',
    );
  });

  it.each(['client-app/client.mts', 'client-app/client.mjs'])('may be %s', async (file) => {
    const found = await hooks(`export default { beforeSubmit: () => ({ veto: 'no' }) };`, file);
    expect(found.file).toBe(file);
    expect(await found.beforeSubmit(run)).toEqual({ veto: 'no' });
  });

  it('need not be there', async () => {
    const none = await hooks('', 'README.md');
    expect(none.file).toBeNull();
    expect(await none.beforeSubmit(run)).toEqual({});
    await none.afterFinish(run, outcome);
  });

  it('may decide nothing', async () => {
    const { beforeSubmit } = await hooks('export default { beforeSubmit() {}, afterFinish() {} };');
    expect(await beforeSubmit(run)).toEqual({});
  });

  it('are told how an attempt ended', async () => {
    const { afterFinish } = await hooks(`
      export default {
        afterFinish(run, outcome) { throw new Error(run.runKey + ' ' + outcome.status); },
      };`);
    await expect(afterFinish(run, outcome)).rejects.toThrow('the hook afterFinish threw: 201704 succeeded');
  });
});

describe('a hook that', () => {
  it('throws is named', async () => {
    const { beforeSubmit } = await hooks(
      `export default { beforeSubmit() { throw new Error('no data'); } };`,
    );
    await expect(beforeSubmit(run)).rejects.toThrow('the hook beforeSubmit threw: no data');
  });

  it('throws a value that is not an error is named, too', async () => {
    const { beforeSubmit } = await hooks(`export default { beforeSubmit: () => Promise.reject('no data') };`);
    await expect(beforeSubmit(run)).rejects.toThrow('the hook beforeSubmit threw: no data');
  });

  it('hangs is given up', async () => {
    const text = 'export default { beforeSubmit: () => new Promise(() => {}) };';
    const { beforeSubmit } = await hooks(text, undefined, 50);
    await expect(beforeSubmit(run)).rejects.toThrow('the hook beforeSubmit took longer than 50 ms');
  });
});

describe('a file that cannot be used', () => {
  it.each([
    [
      'cannot be read as TypeScript',
      'export default {',
      'the hooks in client-app/client.ts cannot be loaded',
    ],
    [
      'throws',
      `throw new Error('no'); export default {};`,
      'the hooks in client-app/client.ts cannot be loaded',
    ],
    [
      'imports what is not there',
      `import 'no-such-package'; export default {};`,
      'the hooks in client-app/client.ts cannot be loaded',
    ],
    ['exports nothing', 'const a = 1;', 'the hooks in client-app/client.ts cannot be used'],
    [
      'knows another hook',
      'export default { beforeSumbit() {} };',
      'the hooks in client-app/client.ts cannot be used',
    ],
    [
      'has a hook that is none',
      `export default { beforeSubmit: 'yes' };`,
      'the hooks in client-app/client.ts cannot be used',
    ],
  ])('%s', async (_, text, message) => {
    await expect(hooks(text)).rejects.toMatchObject({
      message,
      exitCode: 2,
      why: expect.stringMatching(/./) as string,
      place: { file: 'client-app/client.ts' },
    });
  });
});

describe('a decision', () => {
  it.each([
    [undefined, {}],
    [null, {}],
    [{}, {}],
    [{ veto: 'no', args: 7 }, { veto: 'no' }],
    [
      { args: ['a', ''], env: { A: 'b' }, other: 1 },
      { args: ['a', ''], env: { A: 'b' } },
    ],
  ])('%j', (value, decision) => expect(asDecision(value)).toEqual(decision));

  it.each([
    ['yes', 'a string'],
    [{ veto: true }, 'veto is not a string'],
    [{ args: 'a b' }, 'args is not a list of strings'],
    [{ args: [1] }, 'args is not a list of strings'],
    [{ args: ['a\0b'] }, 'args is not a list of strings'],
    [{ env: { A: 1 } }, 'env is not a map of strings'],
    [{ env: { 'A=B': '1' } }, 'env is not a map of strings'],
    [{ env: { A: '1\0' } }, 'env is not a map of strings'],
  ])('%j is none', (value, why) => {
    expect(() => asDecision(value)).toThrow(`the hook beforeSubmit did not return a decision: ${why}`);
  });
});

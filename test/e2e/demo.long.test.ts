import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { makeFolder } from '../support/folder.ts';

const DEMO = fileURLToPath(new URL('../../demo/demo.ts', import.meta.url));

/** Runs a story, and returns what it printed, its exit code, and what it left in its temporary folder. */
async function runDemo(
  ...args: string[]
): Promise<{ stdout: string; exitCode: number | undefined; left: string[] }> {
  const folder = await makeFolder('demo-test');
  const { stdout, exitCode } = await execa(process.execPath, [DEMO, ...args], {
    env: { TMPDIR: folder, NO_COLOR: '1', HIPPO_BROKERS: '', HIPPO_CONFIG: '' },
    reject: false,
  });
  const left = (await readdir(folder)).filter((name) => name.startsWith('hippo-'));
  await rm(folder, { recursive: true, force: true });
  return { stdout, exitCode, left };
}

test('the demo runs the main job on a Kafka and a Spark of its own, and leaves nothing', async () => {
  const { stdout, exitCode, left } = await runDemo();
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain('16 rows');
  expect(stdout).toMatch(/EV +4171 +24\.2/);
  expect(stdout).toContain('✓ 1 run succeeded.');
  expect(left).toEqual([]);
});

test('the chain goes from a file to rows of a database through three hippos, and is followed to its end', async () => {
  const { stdout, exitCode, left } = await runDemo('etl');
  expect(exitCode, stdout).toBe(0);
  // What Spark has loaded is read by PostgreSQL's own client.
  expect(stdout).toContain('public.delays has 16 rows');
  expect(stdout).toMatch(/EV +4171 +24\.2/);
  expect(stdout).toContain('✓ flights/summarize 201301 succeeded');
  expect(stdout).toContain('✓ warehouse/load 201301 succeeded');
  expect(stdout).toContain('✓ 2 runs succeeded.');
  expect(left).toEqual([]);
});

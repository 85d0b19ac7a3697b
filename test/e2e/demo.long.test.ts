import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { makeFolder } from '../support/folder.ts';

const DEMO = fileURLToPath(new URL('../../demo/demo.ts', import.meta.url));

test('the demo runs the main job on a Kafka and a Spark of its own, and leaves nothing', async () => {
  const folder = await makeFolder('demo-test');
  const { stdout, exitCode } = await execa(process.execPath, [DEMO], {
    env: { TMPDIR: folder, NO_COLOR: '1', HIPPO_BROKERS: '', HIPPO_CONFIG: '' },
    reject: false,
  });
  const left = await readdir(folder);
  await rm(folder, { recursive: true, force: true });
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain('16 rows');
  expect(stdout).toMatch(/EV +4171 +24\.2/);
  expect(stdout).toContain('✓ 1 run succeeded.');
  expect(left.filter((name) => name.startsWith('hippo-'))).toEqual([]);
});

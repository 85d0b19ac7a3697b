import { readFile, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { fakeKafka } from '../support/fake-kafka.ts';
import { makeFolder } from '../support/folder.ts';

const DEMO = fileURLToPath(new URL('../../demo/demo.ts', import.meta.url));

test('a demo that fails prints the error as hippo does, and keeps the log that it points at', async () => {
  const folder = await makeFolder('demo-failure');
  const java = await fakeKafka(folder, `log('ERROR the disk is on fire'); process.exit(1);`);
  const { stdout, exitCode } = await execa(process.execPath, [DEMO], {
    env: {
      ...java,
      SPARK_SUBMIT: process.execPath,
      TMPDIR: folder,
      NO_COLOR: '1',
      HIPPO_BROKERS: '',
      HIPPO_CONFIG: '',
    },
    reject: false,
  });
  expect(exitCode, stdout).toBe(1);
  expect(stdout).toContain('✗ Kafka stopped at once\n  ERROR the disk is on fire\n  → look at ');
  const [, log = ''] = /→ look at (\S+)/.exec(stdout) ?? [];
  await expect(readFile(log, 'utf8')).resolves.toContain('on fire');
  const [home = ''] = (await readdir(folder)).filter((name) => name.startsWith('hippo-demo-'));
  expect(stdout).toContain(`rm -r ${folder}/${home}`);
  await rm(folder, { recursive: true, force: true });
});

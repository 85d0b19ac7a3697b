/** Each type of hippo as its README shows it: made with --yes, its commands typed one after the other, its tests run. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { listTemplates } from '../../src/scaffold/template.ts';
import type { NewProject } from '../../src/scaffold/new-project.ts';
import { hippo, hippoJson } from '../support/cli.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/project.ts';

vi.setConfig({ testTimeout: 1_800_000 });

const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
/** A doctor that found no error: on a busy machine a check may have had no time. */
const DOCTOR_FINE = [0, 4];

test.each(listTemplates().map(({ type }) => type))('%s runs at once, as its README shows', async (type) => {
  const folder = await makeFolder(`new-${type}`);
  const project = join(folder, 'sample');
  const env = {
    PATH: `${BIN}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    NO_COLOR: '1',
    COLUMNS: '80',
    ...{ HIPPO_BROKERS: '', HIPPO_CONFIG: '', HIPPO_PROFILE: '', NODE_ENV: undefined },
  };
  const run = async (command: string): Promise<void> => {
    const { exitCode, all } = await execa('bash', ['-c', command], {
      ...{ cwd: project, env, reject: false, all: true, stdin: 'ignore' },
    });
    expect(exitCode, `$ ${command}\n${all}`).toBe(0);
  };
  const made = await hippoJson(['new', type, 'sample', '--yes', '--directory', project], { env: {} });
  expect(made.exitCode, made.stdout).toBe(0);
  const clients: { kill: () => void; ended: Promise<unknown> }[] = [];
  try {
    for (const step of (made.json as NewProject).next) {
      if (!step.background) {
        await run(step.run);
        continue;
      }
      const client = execa('bash', ['-c', `exec ${step.run}`], {
        ...{ cwd: project, env, reject: false, stdio: 'ignore' },
      });
      clients.push({ kill: () => client.kill('SIGTERM'), ended: client });
      await until(() => existsSync(join(project, '.hippo/client.json')), `${step.run} runs`);
    }
    const doctor = await hippo(['doctor'], { cwd: project, env: { HIPPO_BROKERS: '', HIPPO_CONFIG: '' } });
    expect(DOCTOR_FINE, doctor.stdout).toContain(doctor.exitCode);
    await run('./test.sh');
  } finally {
    for (const { kill } of clients) kill();
    await Promise.all(clients.map(({ ended }) => ended));
    await hippo(['down', '--purge', '--yes'], { cwd: project, env: { HIPPO_BROKERS: '', HIPPO_CONFIG: '' } });
  }
  await rm(folder, { recursive: true, force: true });
});

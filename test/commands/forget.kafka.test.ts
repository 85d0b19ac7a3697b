import { describe, expect } from 'vitest';
import type { ForgetReport } from '../../src/tractor/forget.ts';
import { readAll, testKafka } from '../support/kafka.ts';
import { type TestProject, test } from '../support/project.ts';

const JOBS = 'load:\n  needs: [{ table: btd.party }]\n  run: ./job.sh';

async function forget(project: TestProject, ...args: string[]): Promise<ForgetReport> {
  const { stdout, exitCode, stderr } = await project.hippo(['forget', project.name, '--json', ...args]);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as ForgetReport;
}

describe('hippo forget', () => {
  test('leaves of a hippo that is gone only what it has said', async ({ makeProject }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const client = project.startClient();
    await client.event('owner');
    const triggered = await project.hippo(['trigger', '--table', 'btd.party', '--wait']);
    expect(triggered.exitCode, triggered.stderr).toBe(0);

    const early = await project.hippo(['forget', project.name, '--yes']);
    expect(early).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`✗ ${project.name} still has a running client\n`) as string,
    });
    client.kill('SIGTERM');
    await client.ended;

    const group = `hippo.${project.prefix}/${project.name}`;
    const planned = await forget(project, '--dry-run');
    expect(planned).toMatchObject({ outcome: 'planned', group });
    expect(planned.records).toBeGreaterThan(1);
    expect(await forget(project, '--yes')).toEqual({ ...planned, outcome: 'forgotten' });

    expect(await kafka.groups(group)).toEqual([]);
    const state = new Map(
      (await readAll(kafka, `${project.prefix}hippo-state`)).map(({ key, value }) => [String(key), value]),
    );
    expect([...state.values()].filter((value) => value !== null)).toEqual([]);
    expect(await readAll(kafka, `${project.prefix}hippo-finish`)).toHaveLength(1);

    const again = await project.hippo(['forget', project.name, '--yes']);
    expect(again.stderr).toContain(`✗ there is no hippo named ${project.name}\n`);
    expect(again.exitCode).toBe(2);
  });

  test.concurrent.for<[what: string, more: string[]]>([
    ['all of it', []],
    ['its state only', ['--keep-offsets']],
  ])('lets the tractor forget the failures of a hippo, too: %s', async ([, more], { makeProject }) => {
    const project = await makeProject(JOBS, 'exit 3');
    const client = project.startClient();
    await client.event('owner');
    expect((await project.hippo(['trigger', '--table', 'btd.party', '--wait'])).exitCode).toBe(1);
    client.kill('SIGTERM');
    await client.ended;
    const tractor = async () => (await project.hippo(['tractor', '--hippo', project.name])).stdout;
    expect(await tractor()).toContain('Failed runs (1)');
    expect((await forget(project, '--yes', ...more)).outcome).toBe('forgotten');
    expect(await tractor()).not.toContain('Failed runs');
  });
});

import { describe, expect } from 'vitest';
import { type JobFinish, parseFinish } from '../../src/messages/index.ts';
import { MONTHLY, type TestProject, test } from '../support/project.ts';

/** The values that are in a topic. */
async function values(project: TestProject, topic: string): Promise<string[]> {
  const { stdout } = await project.hippo(['tail', topic, '--from', 'beginning', '--exit-at-end', '--json']);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { value: string }).value);
}

async function finishes(project: TestProject): Promise<JobFinish[]> {
  return (await values(project, 'finish')).map((value) => {
    const parsed = parseFinish(value);
    if (!parsed.ok) throw new Error(parsed.rejection.reason);
    return parsed.message;
  });
}

const trigger = (project: TestProject, month: string) =>
  project.hippo(['trigger', '--table', 'btd.party', '--partition', `yyyymm=${month}`]);

describe('hippo job', () => {
  test('pause: nothing starts; resume: it runs', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const client = project.startClient();
    await client.event('owner');
    const pause = await project.hippo(['job', 'pause', 'load', '--reason', 'upgrade', '--by', 'ann']);
    expect(pause.exitCode).toBe(0);
    expect(pause.stdout).toMatch(/^✓ Asked: pause h-\w+\/load \(ann: upgrade\)\n/);
    await client.event('input', ({ input }) => input.startsWith('pause'));
    await trigger(project, '201704');
    const { runs } = await client.event('input', ({ input }) => input.includes('201704'));
    expect(runs).toMatchObject([{ job: 'load', run_key: '201704', status: 'ready' }]);
    // By hand it runs all the same, and what waits for the resume does not.
    const byHand = await project.hippo(['job', 'run', 'load', '--key', '201705', '--wait']);
    expect(byHand.exitCode).toBe(0);
    expect((await finishes(project)).map(({ runKey }) => runKey)).toEqual(['201705']);
    await project.hippo(['job', 'resume', 'load']);
    await client.event('finished', ({ run_key }) => run_key === '201704');
    expect((await finishes(project)).map(({ runKey }) => runKey).sort()).toEqual(['201704', '201705']);
  });

  test('cancel ends a running job; its finish says who and why', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'exec sleep 300');
    const client = project.startClient();
    await client.event('owner');
    await trigger(project, '201704');
    const { pid } = await client.event('submitted');
    const { exitCode } = await project.hippo([
      'job',
      'cancel',
      'load',
      '--reason',
      'wrong source',
      '--by',
      'ann',
    ]);
    expect(exitCode).toBe(0);
    await client.event('finished');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    const [finish] = await finishes(project);
    expect(finish).toMatchObject({ runKey: '201704', isSuccess: false });
    expect(finish?.errorMsg).toMatch(/^cancelled by ann: wrong source/);
  });

  test('mark-success: a finish that says so, who and why; a second time is refused', async ({
    makeProject,
  }) => {
    const project = await makeProject(MONTHLY, 'echo ran >> ran');
    await project.startClient().event('owner');
    const args = [
      'job',
      'mark-success',
      'load',
      '--key',
      '201704',
      '--reason',
      'by hand',
      '--by',
      'ann',
      '--wait',
    ];
    const { exitCode, stdout } = await project.hippo(args);
    expect(stdout).toContain(`✓ ${project.name}/load 201704 succeeded`);
    expect(exitCode).toBe(0);
    expect(await finishes(project)).toMatchObject([
      { runKey: '201704', isSuccess: true, extra: { marked_by: 'ann', reason: 'by hand' } },
    ]);
    await expect(project.file('ran')).rejects.toThrow('ENOENT');
    const again = await project.hippo(args);
    expect(again.stdout).toContain('has read the request, and started nothing');
    expect(again.exitCode).toBe(1);
  });

  test('without a client the request waits; --dry-run writes nothing; --json is the request', async ({
    makeProject,
  }) => {
    const project = await makeProject(MONTHLY);
    const planned = await project.hippo(['job', 'run', 'load', '--key', '201704', '--dry-run']);
    expect(planned.stdout).toMatch(/^Would ask: run h-\w+\/load 201704/);
    const { stdout, exitCode } = await project.hippo(['job', 'run', 'load', '--key', '201704', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      hippo: project.name,
      job: 'load',
      run_key: '201704',
      clients: 0,
      record: { topic: `${project.prefix}hippo-schedule`, offset: '0' },
      wait: null,
    });
    expect((await values(project, 'schedule')).map((value) => JSON.parse(value) as unknown)).toMatchObject([
      { hippo_name: project.name, run_key: '201704' },
    ]);
  });
});

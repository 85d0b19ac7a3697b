import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { groupIsAlive } from '../../src/client/host/process-group.ts';
import type { TriggerReport } from '../../src/trigger/trigger.ts';
import { type TestProject, finishes, test, until } from '../support/project.ts';

const JOBS = 'load:\n  needs: [{ table: btd.party }]\n  run: ./job.sh';
const SCRIPT =
  'echo "$HIPPO_ATTEMPT_ID" > "$HIPPO_TOPICS_PREFIX".attempt\nwhile ! test -e go; do sleep 0.1; done';

/** The project as it is with another prefix of its topics. */
async function prefixed(project: TestProject, prefix: string): Promise<TestProject> {
  const env = { ...project.env, HIPPO_TOPICS_PREFIX: prefix };
  const other: TestProject = {
    ...project,
    prefix,
    env,
    hippo: (args, options = {}) => project.hippo(args, { ...options, env: { ...env, ...options.env } }),
    startClient: (more = {}) => project.startClient({ HIPPO_TOPICS_PREFIX: prefix, ...more }),
  };
  const up = await other.hippo(['up', '--no-spark']);
  expect(up.exitCode, up.stderr).toBe(0);
  return other;
}

test('two hippos of one name and different topics.prefix run side by side on one Kafka and in one folder', async ({
  makeProject,
}) => {
  const made = await makeProject(JOBS, SCRIPT);
  const [one, two] = [await prefixed(made, made.prefix), await prefixed(made, `${made.prefix}2-`)];
  const first = one.startClient();
  await first.event('owner', ({ group }) => group === `hippo.${one.prefix}/${one.name}`);
  expect((await one.hippo(['trigger', '--table', 'btd.party'])).exitCode).toBe(0);
  const job = await first.event('submitted');

  // Its start, its own job and its end touch nothing of the first one.
  const second = two.startClient();
  expect(await second.event('owner')).toMatchObject({ group: `hippo.${two.prefix}/${two.name}`, orphans: 0 });
  expect((await two.hippo(['trigger', '--table', 'btd.party'])).exitCode).toBe(0);
  const other = await second.event('submitted');
  const attempts = async (): Promise<string[] | null> => {
    const names = [one, two].map(({ prefix }) => made.file(`${prefix}.attempt`).catch(() => ''));
    const found = (await Promise.all(names)).map((text) => text.trim());
    return found.includes('') ? null : found;
  };
  expect(new Set(await until(attempts, 'both jobs run')).size).toBe(2);
  second.kill('SIGKILL');
  await second.ended;
  await until(() => !groupIsAlive(other.pid), 'the second job is gone with its client');
  const heir = two.startClient();
  expect(await heir.event('owner')).toMatchObject({ again: 1 });
  expect(groupIsAlive(job.pid)).toBe(true);

  const doctor = await one.hippo(['doctor', 'group']);
  expect(doctor.stdout).toContain(`Group hippo.${one.prefix}/${one.name}: `);
  await appendFile(join(made.directory, 'go'), '');
  expect(await first.event('ended')).toMatchObject({ outcome: 'succeeded', attempt: 1 });
  expect(await heir.event('ended')).toMatchObject({ outcome: 'succeeded', attempt: 2 });
  expect([await finishes(one), await finishes(two)]).toMatchObject([
    [{ isSuccess: true }],
    [{ isSuccess: true }],
  ]);

  // Only clients of this prefix read its topics.
  heir.kill('SIGTERM');
  await heir.ended;
  const { stdout, exitCode } = await two.hippo(['trigger', '--table', 'a.b', '--timeout', '1s', '--wait']);
  expect(stdout).toContain(`No client of ${two.name} runs; the event waits in its topic until one starts.`);
  expect(exitCode).toBe(4);
  const read = await one.hippo(['trigger', '--table', 'a.b', '--json', '--wait']);
  expect((JSON.parse(read.stdout) as TriggerReport).wait).toMatchObject({
    outcome: 'no-reaction',
    live: [one.name],
    readers: [one.name],
    down: [],
  });
  const early = await one.hippo(['forget', one.name, '--yes']);
  expect(early.stderr).toContain(`${one.name} still has a running client`);
  const forgotten = await two.hippo(['forget', two.name, '--yes']);
  expect(forgotten.stdout).toContain(`group hippo.${two.prefix}/${two.name}`);
});

/** What becomes of an application on YARN when its client goes, and the next one comes: the built CLI, a real Kafka. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FAKE_YARN_USER, FakeYarn } from '../support/fake-yarn.ts';
import { type TestProject, test } from '../support/project.ts';
import { until } from '../client/host/supervised.ts';

const SPARK_SUBMIT = fileURLToPath(new URL('../support/fake-spark-submit.ts', import.meta.url));
const JOBS = 'load: { needs: [{ table: btd.party }], run: ./job.sh }';

function script(yarn: FakeYarn): string {
  return `FAKE_YARN=${yarn.url} exec "${SPARK_SUBMIT}" --conf "spark.yarn.tags=$HIPPO_SPARK_TAGS"`;
}

function settings(yarn: FakeYarn, onStop: 'kill' | 'detach'): string {
  return `client: { session_timeout: 6s, on_stop: ${onStop} }
yarn: { resource_managers: ["${yarn.standby}", "${yarn.url}"], user: ${FAKE_YARN_USER} }`;
}

/** On the Node of these tests, spark-submit's too. */
const start = (project: TestProject) =>
  project.startClient({ PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` });

const land = (project: TestProject) =>
  project.hippo(['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704']);

test.concurrent(
  'on_stop: detach: the next client takes the application up, and reports its end',
  async ({ makeProject }) => {
    await using yarn = await FakeYarn.start();
    const project = await makeProject(JOBS, script(yarn), settings(yarn, 'detach'));
    const first = start(project);
    await first.event('owner');
    await land(project);
    await until(() => yarn.applications.length === 1, 60_000);
    first.kill('SIGTERM');
    expect((await first.ended).exitCode).toBe(0);
    const second = start(project);
    await second.event(
      'notice',
      ({ text }) => text === `taking up ${yarn.ids[0] ?? ''} of an earlier attempt`,
    );
    yarn.end(yarn.ids[0] ?? '', 'SUCCEEDED');
    expect(await second.event('finished')).toMatchObject({ is_success: true, run_key: 'yyyymm=201704' });
    expect(yarn.ids).toHaveLength(1);
  },
);

test.concurrent(
  'a client that was killed: the next one ends the application, and runs the job again',
  async ({ makeProject }) => {
    await using yarn = await FakeYarn.start();
    const project = await makeProject(JOBS, script(yarn), settings(yarn, 'kill'));
    const first = start(project);
    await first.event('owner');
    await land(project);
    await until(() => yarn.applications.length === 1, 60_000);
    first.kill('SIGKILL');
    const second = start(project);
    expect(await second.event('owner')).toMatchObject({ again: 1 });
    await until(() => yarn.applications.length === 2, 60_000);
    expect(yarn.applications[0]).toMatchObject({ state: 'KILLED' });
    yarn.end(yarn.ids[1] ?? '', 'SUCCEEDED');
    expect(await second.event('finished')).toMatchObject({ is_success: true, run_key: 'yyyymm=201704' });
  },
);

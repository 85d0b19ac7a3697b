/** The state topic takes less than a run needs: that run fails, and everything else goes on. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Kafka } from '../../src/kafka/port.ts';
import { readAll, setTopicConfig, testKafka } from '../support/kafka.ts';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { type TestProject, test } from '../support/project.ts';

const REGIONS = Array.from({ length: 30 }, (_, index) => `region-${index}`);
const JOBS = `small: { needs: [{ table: btd.party }], run: ./job.sh }
big:
  every: day
  needs:
    - each: { region: [${REGIONS.join(', ')}] }
      table: shop.orders
      partition: { dt: '{{ window }}', region: '{{ region }}' }
  run: ./job.sh`;
/** Less than the run of 30 inputs needs. */
const LIMIT = 3_000;

/** Publishes what the big job needs on that day. */
async function landBig(project: TestProject, day: string): Promise<void> {
  const lines = REGIONS.map(
    (region) =>
      `{"db":"shop","table":"orders","partition":[{"name":"dt","value":"${day}"},{"name":"region","value":"${region}"}],"method":"partition","exec_date":"1493394946"}`,
  );
  await writeFile(join(project.directory, 'events.jsonl'), lines.join('\n'));
  const { exitCode, stderr } = await project.hippo(['trigger', '--file', 'events.jsonl']);
  expect(exitCode, stderr).toBe(0);
}

async function landSmall(project: TestProject, number: number): Promise<void> {
  const args = [
    'trigger',
    '--table',
    'btd.party',
    '--partition',
    `no=${number}`,
    '--wait',
    '--timeout',
    '60s',
  ];
  const { exitCode, stderr } = await project.hippo(args);
  expect(exitCode, stderr).toBe(0);
}

/** The record of the big job's run in the state topic. */
async function bigRun(kafka: Kafka, project: TestProject, day: string): Promise<unknown> {
  const records = await readAll(kafka, `${project.prefix}hippo-state`);
  const last = records.findLast(({ key }) => String(key) === `${project.name}/run/big/${day}`);
  return JSON.parse(String(last?.value ?? null));
}

const FAILED = {
  status: 'failed',
  permanent: true,
  error: expect.stringMatching(
    /^its record needs \d+ bytes; max\.message\.bytes of the topic .*hippo-state is 3000$/,
  ) as unknown,
};

test('max.message.bytes of the state topic is lowered while the client runs, and it starts again', async ({
  makeProject,
}) => {
  const project = await makeProject(JOBS, 'exit 0');
  const kafka = await testKafka();
  const client = project.startClient();
  await client.event('owner');
  await landSmall(project, 1);
  await setTopicConfig(kafka, `${project.prefix}hippo-state`, { 'max.message.bytes': String(LIMIT) });
  await landBig(project, '2017-04-28');
  await landSmall(project, 2);
  expect(await bigRun(kafka, project, '2017-04-28')).toMatchObject(FAILED);
  client.kill('SIGTERM');
  expect((await client.ended).exitCode).toBe(0);

  const next = project.startClient();
  await next.event('owner');
  await landBig(project, '2017-04-29');
  await landSmall(project, 3);
  expect(await bigRun(kafka, project, '2017-04-29')).toMatchObject(FAILED);
  const { stdout } = await project.hippo(['doctor', 'topics', '--json']);
  const { checks } = JSON.parse(stdout) as DoctorReport;
  expect(checks.flatMap(({ findings }) => findings.map(({ text }) => text)).join('\n')).toContain(
    `hippo-state: max.message.bytes is ${LIMIT}, less than Kafka's default of 1048588`,
  );
});

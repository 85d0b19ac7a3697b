/** The state topic takes less than a run needs: that run fails, and everything else goes on. */
import { expect } from 'vitest';
import type { Kafka } from '../../src/kafka/port.ts';
import { readAll, setTopicConfig, testKafka } from '../support/kafka.ts';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { type TestClient, type TestProject, test } from '../support/project.ts';

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

async function publish(
  kafka: Kafka,
  project: TestProject,
  table: string,
  partitions: object[],
): Promise<void> {
  const [db, name] = table.split('.');
  const producer = await kafka.producer();
  await producer.send(
    partitions.map((levels) => ({
      topic: `${project.prefix}frontier-adw`,
      key: table,
      value: JSON.stringify({
        db,
        table: name,
        partition: Object.entries(levels).map(([level, value]) => ({ name: level, value: String(value) })),
        method: 'partition',
        exec_date: '1493394946',
      }),
    })),
  );
  await producer.close();
}

/** Publishes what the big job needs on that day. */
function landBig(kafka: Kafka, project: TestProject, day: string): Promise<void> {
  return publish(
    kafka,
    project,
    'shop.orders',
    REGIONS.map((region) => ({ dt: day, region })),
  );
}

/** Publishes what the small job needs, and waits for its run. */
async function runSmall(kafka: Kafka, project: TestProject, client: TestClient, no: number): Promise<void> {
  await publish(kafka, project, 'btd.party', [{ no }]);
  const { is_success } = await client.event('finished', ({ run_key: key }) => key === `no=${no}`);
  expect(is_success).toBe(true);
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
  await runSmall(kafka, project, client, 1);
  await setTopicConfig(kafka, `${project.prefix}hippo-state`, { 'max.message.bytes': String(LIMIT) });
  await landBig(kafka, project, '2017-04-28');
  await runSmall(kafka, project, client, 2);
  await expect.poll(() => bigRun(kafka, project, '2017-04-28')).toMatchObject(FAILED);
  client.kill('SIGTERM');
  expect((await client.ended).exitCode).toBe(0);

  const next = project.startClient();
  await next.event('owner');
  await landBig(kafka, project, '2017-04-29');
  await runSmall(kafka, project, next, 3);
  await expect.poll(() => bigRun(kafka, project, '2017-04-29')).toMatchObject(FAILED);
  const { stdout } = await project.hippo(['doctor', 'topics', '--json']);
  const { checks } = JSON.parse(stdout) as DoctorReport;
  expect(checks.flatMap(({ findings }) => findings.map(({ text }) => text)).join('\n')).toContain(
    `hippo-state: max.message.bytes is ${LIMIT}, less than Kafka's default of 1048588`,
  );
});

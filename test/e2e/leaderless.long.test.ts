/** A broker is down that alone holds partitions which the client writes to: what goes there waits, and all else goes on. */
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { expect, onTestFinished } from 'vitest';
import { connectKafka } from '../../src/kafka/connect.ts';
import { partitionForKey } from '../../src/kafka/partitioner.ts';
import { kafkaSettings } from '../support/kafka.ts';
import { type TestProject, finishes, test, until } from '../support/project.ts';
import { createTopics } from '../support/admin.ts';
import { startCluster } from '../support/two-brokers.ts';

const JOBS = Array.from({ length: 24 }, (_, index) => `job${index}`);

/** The jobs are all of one kind: each runs when a partition of the table of its name lands. */
const YAML = JOBS.map(
  (job) => `${job}: { every: event, needs: [{ table: btd.${job} }], run: ./job.sh }`,
).join('\n');

const land = (project: TestProject, job: string, n: number, ...more: string[]) =>
  project.hippo(['trigger', '--table', `btd.${job}`, '--partition', `no=${n}`, ...more]);

test('jobs whose messages go to partitions with a leader run on; the others run when theirs has one', async ({
  makeProject,
}) => {
  const [one, two] = await startCluster();
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const on = (...brokers: number[]) =>
    brokers.map((broker, partition) => ({ partition, replicas: [broker] }));
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  for (const topic of ['__consumer_offsets', '__transaction_state'])
    await createTopics(admin, { topics: [{ topic, replicaAssignment: on(1), configEntries }] });
  const project = await makeProject(
    YAML,
    'exit 0',
    'client: { session_timeout: 6s }\nkafka: { request_timeout: 4s }',
    one.brokers.join(','),
  );
  const [start, letters] = ['hippo-start', 'frontier-adw.dlq'].map((name) => `${project.prefix}${name}`);
  await admin.deleteTopics({ topics: [start!, letters!] });
  await until(async () => {
    const names = await admin.listTopics();
    return !names.includes(start!) && !names.includes(letters!);
  }, 'the topics are deleted');
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      { topic: start!, replicaAssignment: on(2, 1, 2, 1) },
      { topic: letters!, replicaAssignment: on(2) },
    ],
  });
  const kafka = await connectKafka({ brokers: one.brokers, settings: kafkaSettings() });
  onTestFinished(() => kafka.close());
  const leaders = async (topic: string): Promise<(number | undefined)[] | undefined> =>
    (await kafka.topics([topic]))[0]?.partitions.map(({ leader }) => leader);
  await expect.poll(() => leaders(start!), { timeout: 30_000 }).toEqual([2, 1, 2, 1]);
  await expect.poll(() => leaders(letters!), { timeout: 30_000 }).toEqual([2]);
  const isLost = (job: string): boolean => partitionForKey(`${project.name}/${job}`, 4) % 2 === 0;
  const lost = JOBS.find(isLost)!;
  const others = JOBS.filter((job) => !isLost(job));
  const kept = others[0]!;
  const inputOf = (job: string): number => partitionForKey(`btd.${job}`, 4);
  // Its messages go where there is a leader, and its events come by a partition of their own.
  const bad = others.find((job) => ![kept, lost].map(inputOf).includes(inputOf(job)))!;
  const client = project.startClient();
  await client.event('owner');
  for (const job of [lost, kept, bad]) {
    const landed = await land(project, job, 1, '--wait', '--timeout', '60s');
    expect(landed.exitCode, landed.stderr).toBe(0);
  }

  await two.stop();
  const producer = await kafka.producer();
  // Its dead letter cannot be written.
  const partition = partitionForKey(`btd.${bad}`, 4);
  await producer.send([{ topic: `${project.prefix}frontier-adw`, partition, value: 'no event' }]);
  await producer.close();
  for (const job of [lost, kept, bad]) await land(project, job, 2);
  const said = (text: string) => client.event('notice', (notice) => notice.text.includes(text));
  await said(`${start}[${partitionForKey(`${project.name}/${lost}`, 4)}] has no leader`);
  await said(`${project.prefix}frontier-adw[${partition}] is not read on from offset`);
  const finished = (job: string, n: number) =>
    client.event('finished', ({ job: of, run_key: key }) => of === job && key === `no=${n}`);
  await finished(kept, 2);
  // The client has not given ownership up, and serves on.
  await land(project, kept, 3);
  await finished(kept, 3);
  expect(client.events.filter(({ event }) => event === 'disconnected')).toEqual([]);

  await two.restart();
  for (const job of [lost, bad]) await finished(job, 2);
  await client.event('rejected');
  const runs = (await finishes(project)).map(({ jobName, runKey }) => `${jobName} ${runKey ?? ''}`);
  expect(runs.sort()).toEqual(
    [...[lost, kept, bad].flatMap((job) => [1, 2].map((n) => `${job} no=${n}`)), `${kept} no=3`].sort(),
  );
}, 300_000);

/** Where a hippo finds its state: after partitions were added to the state topic, and after that was made again. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { Kafka } from '../../src/kafka/port.ts';
import { partitionForKey } from '../../src/kafka/partitioner.ts';
import { testBrokers } from '../support/brokers.ts';
import { addPartitions } from '../support/admin.ts';
import { readAll } from '../support/kafka.ts';
import { type TestProject, kcat, test, until } from '../support/project.ts';
import { Kafka as KafkaJs, logLevel } from '../support/kafkajs.ts';

let kafka: Kafka;
beforeAll(async () => {
  const settings = parseConfig({}).kafka;
  kafka = await connectKafka({ brokers: await testBrokers(), settings });
});
afterAll(() => kafka.close());

/** Each partition that lands is a run; `no=13` fails. */
const EACH = `load: { needs: [{ table: btd.party }], run: ./job.sh, concurrency: 50 }`;
const SCRIPT = 'test "$HIPPO_RUN_KEY" != no=13';

const addresses = ({ brokers }: TestProject): string[] => brokers.split(',');
const stateTopic = ({ prefix }: TestProject): string => `${prefix}hippo-state`;

/** The project under a name that belongs to another partition when the state topic has 5 partitions instead of 4. */
async function moving(project: TestProject): Promise<TestProject> {
  let { name } = project;
  while (partitionForKey(name, 4) === partitionForKey(name, 5)) name += 'x';
  const file = join(project.directory, 'hippo.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(`name: ${project.name}\n`, `name: ${name}\n`));
  return { ...project, name };
}

async function land(project: TestProject, ...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    const args = ['trigger', '--table', 'btd.party', '--partition', `no=${number}`];
    const { exitCode, stderr } = await project.hippo(args);
    expect(exitCode, stderr).toBe(0);
  }
}

/** The keys of the runs that have been started, each as often as it was. */
async function started(project: TestProject): Promise<string[]> {
  const lines = await kcat(project, 'hippo-start');
  return lines.map((line) => (JSON.parse(line) as { run_key: string }).run_key).sort();
}

/** The partitions in which the state topic has something of the hippo. */
async function placesOf(project: TestProject): Promise<number[]> {
  const live = new Map<string, number | null>();
  for (const { key, value, partition } of await readAll(kafka, stateTopic(project)))
    if (key?.toString().startsWith(`${project.name}/`) === true)
      live.set(`${partition} ${key.toString()}`, value === null ? null : partition);
  return [...new Set(live.values())].filter((partition) => partition !== null);
}

async function makeAgain(project: TestProject): Promise<void> {
  await kafka.deleteTopics([stateTopic(project)]);
  await until(async () => (await kafka.topics([stateTopic(project)])).length === 0, 'the topic is gone');
  const up = await project.hippo(['up', '--no-spark']);
  expect(up.exitCode, up.stderr).toBe(0);
}

async function findings(project: TestProject): Promise<{ exitCode: number | undefined; texts: string[] }> {
  const { exitCode, stdout } = await project.hippo(['doctor', 'state', '--json']);
  const { checks } = JSON.parse(stdout) as DoctorReport;
  return { exitCode, texts: checks.flatMap((check) => check.findings.map(({ text }) => text)) };
}

describe('the state topic gets more partitions', () => {
  test.concurrent(
    'while the hippo is down: it finds its state, behind the open transaction of another producer too',
    async ({ makeProject }) => {
      const project = await moving(await makeProject(EACH, SCRIPT));
      const place = partitionForKey(project.name, 4);
      const first = project.startClient();
      await first.event('owner');
      const stranger = new KafkaJs({ brokers: addresses(project), logLevel: logLevel.NOTHING }).producer({
        transactionalId: `stranger-${project.name}`,
        maxInFlightRequests: 1,
        idempotent: true,
      });
      await stranger.connect();
      const open = await stranger.transaction();
      try {
        await open.send({
          topic: stateTopic(project),
          messages: [{ partition: place, key: 'stranger', value: '{}' }],
        });
        await land(project, 1, 13);
        await until(async () => (await started(project)).length === 2, 'both runs are started');
        first.kill('SIGTERM');
        await first.ended;
        await addPartitions(addresses(project), stateTopic(project), 5);

        const second = project.startClient();
        const { text } = await second.event('notice', ({ text: said }) => said.startsWith('waiting to read'));
        expect(text).toContain(
          `${stateTopic(project)}[${place}]: the transaction of transactional id stranger-${project.name} has been open since `,
        );
        expect(second.events.some(({ event }) => event === 'owner')).toBe(false);
        await open.abort();
        expect(await second.event('owner')).toMatchObject({ runs: 2 });
        await land(project, 2);
        await second.event('finished', ({ run_key }) => run_key === 'no=2');
        second.kill('SIGTERM');
        await second.ended;
      } finally {
        await stranger.disconnect();
      }
      expect(await started(project)).toEqual(['no=1', 'no=13', 'no=2']);
      expect(await placesOf(project)).toEqual([place]);

      // All that read the state find it, too.
      expect(await findings(project)).toEqual({
        exitCode: 0,
        texts: [
          expect.stringMatching(
            `^${stateTopic(project)}\\[${place}\\] of 5 partitions has the state of ${project.name}: \\d+ records\\. A new hippo`,
          ) as string,
        ],
      });
      const tractor = await project.hippo(['tractor']);
      expect(tractor.stdout).toContain(`${project.name}/load no=13`);
      const forgotten = await project.hippo(['forget', project.name, '--yes']);
      expect(forgotten.exitCode, forgotten.stderr).toBe(0);
      expect(await placesOf(project)).toEqual([]);
    },
  );

  test.concurrent(
    'while it runs: the standby takes it over, and requests reach it',
    async ({ makeProject }) => {
      const project = await moving(await makeProject(EACH, SCRIPT));
      await land(project, 1);
      const first = project.startClient();
      await first.event('finished');
      const standby = project.startClient();
      await standby.event('standby');
      await addPartitions(addresses(project), stateTopic(project), 5);
      await land(project, 2);
      await first.event('finished', ({ run_key }) => run_key === 'no=2');
      first.kill('SIGTERM');
      expect(await standby.event('owner')).toMatchObject({ runs: 2 });
      const again = await project.hippo(['job', 'run', 'load', '--key', 'no=1', '--wait']);
      expect(again.exitCode, again.stderr).toBe(0);
      expect(await placesOf(project)).toEqual([partitionForKey(project.name, 4)]);
      expect(await started(project)).toEqual(['no=1', 'no=1', 'no=2']);
    },
  );
});

describe('the state topic is made again', () => {
  test.concurrent(
    'while the hippo is down: it refuses to start, and goes on from its offsets when told so',
    async ({ makeProject }) => {
      const project = await makeProject(EACH, SCRIPT);
      await land(project, 1, 2);
      expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
      await land(project, 3);
      await makeAgain(project);

      const refused = await project.hippo(['run', '--once']);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain(`✗ the state of ${project.name} is lost\n`);
      expect(refused.stderr).toContain(`→ hippo forget ${project.name} --keep-offsets `);
      expect(await started(project)).toEqual(['no=1', 'no=2']);
      const examined = await findings(project);
      expect(examined.exitCode).toBe(1);
      expect(examined.texts).toEqual([
        expect.stringContaining(`none of the 4 partitions of ${stateTopic(project)} has the state`),
      ]);

      const kept = await project.hippo(['forget', project.name, '--keep-offsets', '--yes']);
      expect(kept.exitCode, kept.stderr).toBe(0);
      expect(kept.stdout.replaceAll(/\s+/g, ' ')).toBe(
        `✓ ${project.name} is forgotten: 0 records of its state; the committed offsets of 9 partitions are kept. `,
      );
      const once = await project.hippo(['run', '--once']);
      expect(once.exitCode, once.stderr).toBe(0);
      expect(await started(project)).toEqual(['no=1', 'no=2', 'no=3']);
      expect(await findings(project)).toMatchObject({ exitCode: 0 });
    },
  );

  test.concurrent(
    'while the hippo runs: its client writes the state again, and nothing runs twice',
    async ({ makeProject }) => {
      const project = await makeProject(EACH, SCRIPT);
      await land(project, 1, 13);
      const client = project.startClient();
      await client.event('finished', ({ run_key }) => run_key === 'no=1');
      await client.event('finished', ({ run_key }) => run_key === 'no=13');
      await makeAgain(project);
      await land(project, 2);
      await client.event('finished', ({ run_key }) => run_key === 'no=2');
      await client.event('notice', ({ text }) => text.includes('has written it again'));
      expect(await findings(project)).toMatchObject({ exitCode: 0 });
      client.kill('SIGTERM');
      await client.ended;

      await land(project, 3);
      const once = await project.hippo(['run', '--once']);
      expect(once.exitCode, once.stderr).toBe(0);
      expect(await started(project)).toEqual(['no=1', 'no=13', 'no=2', 'no=3']);
      // A new hippo begins where client.start_from says.
      const forgotten = await project.hippo(['forget', project.name, '--yes']);
      expect(forgotten.exitCode, forgotten.stderr).toBe(0);
      expect((await project.hippo(['run', '--once'])).exitCode).toBe(1);
      expect(await started(project)).toEqual([
        'no=1',
        'no=1',
        'no=13',
        'no=13',
        'no=2',
        'no=2',
        'no=3',
        'no=3',
      ]);
    },
  );
});

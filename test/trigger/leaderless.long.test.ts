import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import { partitionForKey } from '../../src/kafka/partitioner.ts';
import { hippo, hippoJson } from '../support/cli.ts';
import { makeFolder } from '../support/folder.ts';
import { kafkaSettings } from '../support/kafka.ts';
import { createTopics } from '../support/admin.ts';
import { startCluster } from '../support/two-brokers.ts';

const TABLES = Array.from({ length: 12 }, (_, index) => `t${index}`);
const partitionOf = (table: string): number => partitionForKey(Buffer.from(`btd.${table}`), 4);
const isLost = (table: string): boolean => partitionOf(table) % 2 === 0;

function event(table: string, n: number): string {
  return `{"table":"${table}","partition":[{"name":"yyyymm","value":"201704"}],"db":"btd","method":"partition","exec_date":"${n}"}\n`;
}

test('events whose partition has a leader are published, and the others are named: of a file, a range and one event', async () => {
  const [one, two] = await startCluster();
  const topic = 'x-frontier-adw';
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const replicaAssignment = [0, 1, 2, 3].map((partition) => ({
    partition,
    replicas: [partition % 2 === 0 ? 2 : 1],
  }));
  await createTopics(admin, { topics: [{ topic, replicaAssignment }] });
  const kafka = await connectKafka({ brokers: one.brokers, settings: kafkaSettings() });
  onTestFinished(() => kafka.close());
  const leaders = async (): Promise<(number | undefined)[] | undefined> =>
    (await kafka.topics([topic]))[0]?.partitions.map(({ leader }) => leader);
  await expect.poll(leaders, { timeout: 30_000 }).toEqual([2, 1, 2, 1]);
  await two.stop();
  await expect.poll(leaders, { timeout: 30_000 }).toEqual([-1, 1, -1, 1]);

  const cwd = await makeFolder('trigger');
  await writeFile(join(cwd, 'hippo.yaml'), 'kafka: { request_timeout: 4s }\nname: etl\n');
  const env = { HIPPO_TOPICS_PREFIX: 'x-', HIPPO_BROKERS: one.brokers.join(','), HIPPO_PROFILE: '' };
  const lines = Array.from({ length: 1_200 }, (_, index) => ({
    table: TABLES[index % TABLES.length]!,
    n: index + 1,
  }));
  await writeFile(join(cwd, 'events.jsonl'), lines.map(({ table, n }) => event(table, n)).join(''));
  const lost = lines.filter(({ table }) => isLost(table));
  const read = async (): Promise<string[]> => {
    const args = ['-b', one.brokers.join(','), '-C', '-t', topic, '-e', '-q', '-p'];
    const parts = await Promise.all(['1', '3'].map((partition) => execa('kcat', [...args, partition])));
    return parts.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
  };

  const file = await hippoJson(['trigger', '--file', 'events.jsonl'], { cwd, env });
  const byPartition = Map.groupBy(lost, ({ table }) => partitionOf(table));
  expect(file).toMatchObject({
    exitCode: 3,
    json: {
      published: lines.length - lost.length,
      stopped: null,
      next: `hippo trigger --file events.jsonl --from-line ${lost[0]!.n}`,
    },
  });
  const { unpublished } = file.json as { unpublished: { partition: number }[] };
  expect(unpublished.sort((a, b) => a.partition - b.partition)).toEqual(
    [...byPartition]
      .sort(([a], [b]) => a - b)
      .map(([partition, those]) => ({
        topic,
        partition,
        events: those.length,
        first: { n: those[0]!.n, table: null, partition_path: null },
        reason: `${topic}[${partition}] has no leader`,
      })),
  );
  expect(file.stderr).toContain(
    `✗ ${byPartition.get(0)!.length} events are not published to ${topic}[0]; the first is line ${byPartition.get(0)![0]!.n}.`,
  );
  const written = await read();
  expect(new Set(written).size).toBe(lines.length - lost.length);
  expect(written).toHaveLength(lines.length - lost.length);

  // One by one: the events of other partitions do not wait until a partition is given up.
  const few = lines.slice(0, 24);
  await writeFile(join(cwd, 'few.jsonl'), few.map(({ table, n }) => event(table, 10_000 + n)).join(''));
  const slow = await hippo(['trigger', '--file', 'few.jsonl', '--rate', '1000/s'], { cwd, env });
  const few_lost = few.filter(({ table }) => isLost(table));
  expect(slow.exitCode, slow.stderr).toBe(3);
  expect(slow.stdout).toContain(`! Published ${24 - few_lost.length} events, backfill `);
  expect(slow.stderr).toContain(`${topic}[0] has no leader: its events are not published; the others are.`);
  const [, resume = ''] = /→ (hippo trigger --resume .*)/.exec(slow.stdout) ?? [];
  expect(resume).toMatch(/--resume \S+ --file few.jsonl/);

  // All events of one table go to one partition.
  const [gone, there] = [TABLES.find(isLost)!, TABLES.find((table) => !isLost(table))!];
  const range = ['trigger', '--range', '2017-01..2017-06', '--partition', 'yyyymm=%Y%m', '--table'];
  const none = await hippo([...range, `btd.${gone}`], { cwd, env });
  expect(none).toMatchObject({ exitCode: 3, stdout: '' });
  expect(none.stderr).toContain(`✗ ${topic}[${partitionOf(gone)}] has no leader`);
  expect(await hippo([...range, `btd.${there}`], { cwd, env })).toMatchObject({ exitCode: 0 });
  const single = await hippo(['trigger', '--table', `btd.${gone}`, '--partition', 'a=b'], { cwd, env });
  expect(single).toMatchObject({ exitCode: 3, stdout: '' });
  expect(single.stderr).toContain(`✗ ${topic}[${partitionOf(gone)}] has no leader`);

  await two.restart();
  await expect.poll(leaders, { timeout: 60_000 }).toEqual([2, 1, 2, 1]);
  const resumed = await hippo(resume.split(' ').slice(1), { cwd, env });
  expect(resumed, resumed.stderr).toMatchObject({ exitCode: 0 });
  const args = ['-b', [...one.brokers, ...two.brokers].join(','), '-C', '-t', topic, '-e', '-q'];
  const { stdout } = await execa('kcat', args);
  const numbers = stdout
    .split('\n')
    .map((line) => Number(/"exec_date":"(\d+)"/.exec(line)?.[1]))
    .filter((n) => n > 10_000 && n < 100_000);
  expect(numbers.sort((a, b) => a - b)).toEqual(few.map(({ n }) => 10_000 + n));
});

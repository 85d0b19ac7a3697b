import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { OLDEST_KAFKA_VERSION, installKafka } from '../../src/stack/distribution.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import { kafkaSettings } from '../support/kafka.ts';
import { Kafka as KafkaJs, logLevel } from '../support/kafkajs.ts';
import { createTopics } from '../support/admin.ts';
import { startCluster } from '../support/two-brokers.ts';

test('reading goes on when another broker becomes the leader, and loses and repeats nothing', async () => {
  const [one, two] = await startCluster();
  const kafka = await connectKafka({ brokers: one.brokers, settings: kafkaSettings() });
  onTestFinished(() => kafka.close());
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await createTopics(admin, {
    topics: [{ topic: 't', replicaAssignment: [{ partition: 0, replicas: [2, 1] }] }],
  });
  await admin.disconnect();
  const write = async (from: number): Promise<void> => {
    const input = Array.from({ length: 100 }, (_, index) => `${from + index}\n`).join('');
    await execa('kcat', ['-P', '-b', one.brokers.join(','), '-t', 't', '-p', '0'], { input });
  };
  const leader = async (): Promise<number | undefined> =>
    (await kafka.topics()).find(({ topic }) => topic === 't')?.partitions[0]?.leader;

  expect(await leader()).toBe(2);
  await write(0);
  const reader = await kafka.reader({
    from: [{ topic: 't', partition: 0, offset: 0n }],
    until: [{ topic: 't', partition: 0, offset: 200n }],
    maxWait: 100,
  });
  const read: number[] = [];
  for await (const { records } of reader) {
    read.push(...records.map(({ value }) => Number(value?.toString())));
    if (read.length !== 100) continue;
    await two.stop();
    expect(await leader()).toBe(1);
    await write(100);
  }
  expect(read).toEqual(Array.from({ length: 200 }, (_, index) => index));
});

test('writing goes on when another broker becomes the leader: nothing is lost, doubled or out of order', async () => {
  const [one, two] = await startCluster();
  const kafka = await connectKafka({
    brokers: [...two.brokers, ...one.brokers],
    settings: kafkaSettings({ connect_timeout: '30s' }),
  });
  onTestFinished(() => kafka.close());
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const replicaAssignment = [0, 1, 2, 3].map((partition) => ({
    partition,
    replicas: partition % 2 === 0 ? [2, 1] : [1, 2],
  }));
  await createTopics(admin, { topics: [{ topic: 't', replicaAssignment }] });
  await admin.disconnect();

  const producer = await kafka.producer();
  const filler = 'x'.repeat(100);
  let total = 0;
  const write = async (): Promise<void> => {
    for (let turn = 0; turn < 1_000; turn += 1, total += 1) {
      const full = producer.append({
        topic: 't',
        key: null,
        value: Buffer.from(`${total} ${filler}`),
        partition: total % 4,
      });
      if (full !== undefined) await full;
    }
    await sleep(5);
  };
  while (producer.acknowledged === 0) await write();
  const second = { isThere: true };
  const stopped = two.stop().finally(() => (second.isThere = false));
  while (second.isThere) await write();
  await stopped;
  await write();
  await producer.flush();
  expect(producer.acknowledged).toBe(total);
  expect(
    (await kafka.topics()).find(({ topic }) => topic === 't')?.partitions.map(({ leader }) => leader),
  ).toEqual([1, 1, 1, 1]);
  const args = ['-b', one.brokers.join(','), '-C', '-t', 't', '-e', '-q', '-f', '%p %s\n'];
  const { stdout } = await execa('kcat', args);
  const read: number[][] = [[], [], [], []];
  for (const line of stdout.split('\n')) read[Number(line[0])]?.push(Number.parseInt(line.slice(2)));
  for (const [partition, numbers] of read.entries())
    expect(numbers).toEqual(Array.from({ length: total / 4 }, (_, index) => 4 * index + partition));
});

test('a client joins although the coordinator of its group is gone: another one is found', async () => {
  const [one, two] = await startCluster({ 'offsets.topic.replication.factor': '2' });
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // The second broker coordinates all groups.
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  const replicaAssignment = [{ partition: 0, replicas: [2, 1] }];
  await createTopics(admin, { topics: [{ topic: '__consumer_offsets', replicaAssignment, configEntries }] });
  await createTopics(admin, {
    topics: [{ topic: 't', replicaAssignment: [{ partition: 0, replicas: [1] }] }],
  });
  await admin.disconnect();
  const kafka = await connectKafka({ brokers: one.brokers, settings: kafkaSettings() });
  onTestFinished(() => kafka.close());
  expect(await kafka.describeGroup('g')).toMatchObject({ state: 'Dead' });

  // The others notice after nine seconds; a name that cannot be reached is given up after five.
  process.kill(two.pid, 'SIGKILL');
  const gained = Promise.withResolvers<undefined>();
  const ignore = (): void => undefined;
  const member = await kafka.join({
    group: 'g',
    topics: ['t'],
    sessionTimeout: 6_000,
    heartbeatInterval: 2_000,
    onGained: () => gained.resolve(undefined),
    onLost: ignore,
    onStandby: ignore,
    onDisconnected: ignore,
    onConnected: ignore,
    onCrash: ignore,
  });
  await gained.promise;
  expect(member.isOwner).toBe(true);
  await member.leave();
});

// Newer versions abort a transaction although one of its partitions has no leader.
test('a write to a partition without a leader fails before it begins a transaction, so the id stays usable', async () => {
  const oldest = await installKafka(() => undefined, undefined, OLDEST_KAFKA_VERSION);
  const [one, two] = await startCluster({}, oldest);
  const kafka = await connectKafka({
    brokers: one.brokers,
    settings: kafkaSettings({ request_timeout: '4s' }),
  });
  onTestFinished(() => kafka.close());
  const admin = new KafkaJs({ brokers: one.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const on = (...brokers: number[]) =>
    brokers.map((broker, partition) => ({ partition, replicas: [broker] }));
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      { topic: '__transaction_state', replicaAssignment: on(1), configEntries },
      { topic: 't', replicaAssignment: on(1, 2) },
    ],
  });
  await admin.disconnect();
  const leaders = async (): Promise<(number | undefined)[] | undefined> =>
    (await kafka.topics(['t']))[0]?.partitions.map(({ leader }) => leader);
  await expect.poll(leaders, { timeout: 30_000 }).toEqual([1, 2]);
  const records = [0, 1].map((partition) => ({ topic: 't', partition, value: 'x' }));
  const before = await kafka.transactionalProducer('id');
  await before.write(records);

  await two.stop();
  await expect(before.write(records)).rejects.toMatchObject({ message: 't[1] has no leader' });
  const after = await kafka.transactionalProducer('id');
  // Behind the first record and its marker: the failed write has left nothing.
  expect(await after.write(records.slice(0, 1))).toMatchObject([{ offset: 2n }]);
  await two.restart();
  await expect.poll(leaders, { timeout: 30_000 }).toEqual([1, 2]);
  expect(await after.write(records)).toMatchObject([{ offset: 4n }, { offset: 2n }]);
});

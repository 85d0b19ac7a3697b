/** The open transaction of another program hides events from readers of committed records: commands that wait name it. */
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { startHippo } from '../support/cli.ts';
import { testKafka } from '../support/kafka.ts';
import { MONTHLY, test, trigger, until } from '../support/project.ts';

/** Wrapped lines as one. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

test('an open transaction of another program is named by trigger --wait, tail, tractor and doctor', async ({
  makeProject,
}) => {
  const project = await makeProject(MONTHLY);
  const topic = `${project.prefix}frontier-adw`;
  const client = project.startClient();
  await client.event('owner');
  const stranger = new KafkaJs({ brokers: project.brokers.split(','), logLevel: logLevel.NOTHING }).producer({
    transactionalId: `stranger-${project.name}`,
    transactionTimeout: 300_000,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await stranger.connect();
  const open = await stranger.transaction();
  const begun = Date.now();
  const partitions = [0, 1, 2, 3, 4, 5, 6, 7];
  const kafka = await testKafka();
  const existing = (await kafka.topics([topic]))[0]?.partitions.length ?? 0;
  await open.send({
    topic,
    messages: partitions.slice(0, existing).map((partition) => ({ partition, value: 'x' })),
  });
  const tail = startHippo(['tail', 'frontier'], { cwd: project.directory, env: project.env });
  let said = '';
  tail.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const words = (text: string): RegExpMatchArray[] => [
      ...flat(text).matchAll(
        /(\S+)\[(\d)\]: the transaction of transactional id (\S+) has been open since (\S+); it hides all records from offset (\d+) on/g,
      ),
    ];
    const [known] = await kafka.openTransactions([{ topic, partition: 0, offset: 0n }]);
    expect(known).toMatchObject({ offset: 0n, transactionalId: `stranger-${project.name}` });
    expect(Math.abs((known?.since ?? 0) - begun)).toBeLessThan(30_000);
    expect((known?.endsBy ?? 0) - (known?.since ?? 0)).toBe(300_000);

    const waited = await trigger(project, '201704', '--wait', '--timeout', '8s');
    expect(waited.exitCode).toBe(4);
    const [hidden] = words(waited.stderr);
    expect(hidden?.slice(1)).toEqual([
      topic,
      expect.any(String),
      `stranger-${project.name}`,
      expect.stringMatching(/Z$/),
      '0',
    ]);
    expect(flat(waited.stdout)).toContain(hidden?.[0]);
    expect(waited.stdout).toContain('kafka-transactions.sh --bootstrap-server');

    const ended = await project.hippo(['tail', 'frontier', '--exit-at-end', '--from', 'beginning']);
    expect(ended.exitCode).toBe(0);
    expect(words(ended.stderr).map(([, , partition]) => Number(partition))).toEqual(
      partitions.slice(0, existing),
    );
    const tractor = await project.hippo(['tractor']);
    expect(words(tractor.stdout)).toHaveLength(existing);
    expect(tractor.stdout).toContain('! Nothing that can be read is stuck');

    await until(() => words(said).length >= existing, 'tail names each partition');
    // A transaction in flight is normal: the doctor is silent for half a minute.
    const doctor = async (): Promise<string[]> => {
      const { stdout } = await project.hippo(['doctor', 'topics', '--json']);
      const { checks } = JSON.parse(stdout) as DoctorReport;
      return checks.flatMap(({ findings }) =>
        findings.flatMap(({ status, text }) => (status === 'warning' ? words(text).map(([all]) => all) : [])),
      );
    };
    await until(async () => (await doctor()).length === existing, 'doctor names each partition');
    expect(Date.now() - begun).toBeGreaterThan(29_000);

    await open.commit();
    await until(() => said.includes('has ended'), 'tail says that it is over');
    await client.event('finished');
    expect(await doctor()).toEqual([]);
    expect(words(said)).toHaveLength(existing);
  } finally {
    tail.kill('SIGINT');
    await tail;
    await stranger.disconnect();
  }
});

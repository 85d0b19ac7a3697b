/** The open transaction of another program hides events from readers of committed records: commands that wait name it. */
import { expect } from 'vitest';
import { startHippo } from '../support/cli.ts';
import { testKafka } from '../support/kafka.ts';
import { flat, holdUpsIn, openOtherTransaction } from '../support/other-transaction.ts';
import { MONTHLY, test, trigger, until } from '../support/project.ts';

test('an open transaction of another program is named by trigger --wait, tail and tractor', async ({
  makeProject,
}) => {
  const project = await makeProject(MONTHLY);
  const client = project.startClient();
  await client.event('owner');
  const other = await openOtherTransaction(project);
  const { topic, partitions, transactionalId, begun } = other;
  const tail = startHippo(['tail', 'frontier'], { cwd: project.directory, env: project.env });
  let said = '';
  tail.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const kafka = await testKafka();
    const [known] = await kafka.openTransactions([{ topic, partition: 0, offset: 0n }]);
    expect(known).toMatchObject({ offset: 0n, transactionalId });
    expect(Math.abs((known?.since ?? 0) - begun)).toBeLessThan(30_000);
    expect((known?.endsBy ?? 0) - (known?.since ?? 0)).toBe(300_000);

    const [waited, ended, tractor] = await Promise.all([
      trigger(project, '201704', '--wait', '--timeout', '8s'),
      project.hippo(['tail', 'frontier', '--exit-at-end', '--from', 'beginning']),
      project.hippo(['tractor']),
    ]);
    expect(waited.exitCode).toBe(4);
    const [hidden] = holdUpsIn(waited.stderr);
    expect(hidden?.slice(1)).toEqual([
      topic,
      expect.any(String),
      transactionalId,
      expect.stringMatching(/Z$/),
      '0',
    ]);
    expect(flat(waited.stdout)).toContain(hidden?.[0]);
    expect(waited.stdout).toContain('kafka-transactions.sh --bootstrap-server');

    expect(ended.exitCode).toBe(0);
    expect(holdUpsIn(ended.stderr).map(([, , partition]) => Number(partition))).toEqual(
      Array.from({ length: partitions }, (_, partition) => partition),
    );
    expect(holdUpsIn(tractor.stdout)).toHaveLength(partitions);
    expect(tractor.stdout).toContain('! Nothing that can be read is stuck');

    await until(() => holdUpsIn(said).length >= partitions, 'tail names each partition');
    await other.commit();
    await until(() => said.includes('has ended'), 'tail says that it is over');
    await client.event('finished');
    expect(holdUpsIn(said)).toHaveLength(partitions);
  } finally {
    tail.kill('SIGINT');
    await tail;
    await other.close();
  }
});

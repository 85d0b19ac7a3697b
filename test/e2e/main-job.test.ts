import { describe, expect } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { groupIsAlive, processesTagged } from '../../src/client/host/process-group.ts';
import { MONTHLY, finishes, kcat, test, trigger, until } from '../support/project.ts';

describe('the main job', () => {
  test.concurrent(
    'a partition lands, the job runs, and another consumer reads that it is done',
    async ({ makeProject }) => {
      const project = await makeProject(
        MONTHLY,
        'echo "$HIPPO_RUN_KEY" > ran; echo \'{"rows": 3}\' > "$HIPPO_RESULT_FILE"',
      );
      const client = project.startClient();
      await client.event('owner');
      const { exitCode, stdout } = await trigger(project, '201704', '--wait');
      expect(
        stdout.replaceAll(/(less than )?\d+ ?(ms|s)\b/g, 'N s').replaceAll(/(partition|offset) \d+/g, '$1 N'),
      ).toBe(
        [
          '✓ Published btd.party yyyymm=201704',
          `  topic ${project.prefix}frontier-adw, partition N, offset N`,
          `▶ ${project.name}/load 201704 started`,
          `✓ ${project.name}/load 201704 succeeded in N s`,
          '✓ 1 run succeeded.',
          '',
        ].join('\n'),
      );
      expect(exitCode).toBe(0);
      expect(await project.file('ran')).toBe('201704\n');
      expect(await finishes(project)).toMatchObject([
        { hippoName: project.name, jobName: 'load', isSuccess: true, runKey: '201704' },
      ]);
      client.kill('SIGTERM');
      expect((await client.ended).exitCode).toBe(0);
    },
  );

  test.concurrent("the finish message and trigger --wait report a job's failure", async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'echo "the disk is full" >&2; exit 3');
    await project.startClient().event('owner');
    const { exitCode, stdout } = await trigger(project, '201704', '--wait', '--json');
    expect(exitCode).toBe(1);
    const [finish] = await finishes(project);
    expect(finish).toMatchObject({
      isSuccess: false,
      errorMsg: './job.sh ended with exit code 3\nthe disk is full',
    });
    expect(JSON.parse(stdout)).toMatchObject({
      wait: { outcome: 'failed', runs: [{ outcome: 'failed' }] },
    });
  });

  test.concurrent(
    'a client killed between submit and finish does the run after its restart, once',
    async ({ makeProject }) => {
      const project = await makeProject(
        MONTHLY,
        'echo "$HIPPO_ATTEMPT" >> attempts; [ "$HIPPO_ATTEMPT" = 1 ] && sleep 300; exit 0',
      );
      const killed = project.startClient();
      await killed.event('owner');
      await trigger(project, '201704');
      await killed.event('submitted');
      await until(() => project.file('attempts').catch(() => null), 'the job has begun');
      killed.kill('SIGKILL');
      await killed.ended;
      const client = project.startClient();
      await client.event('finished');
      expect(await project.file('attempts')).toBe('1\n2\n');
      expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '201704' }]);
    },
  );

  test.concurrent(
    'a record that is not a message goes to the dead-letter topic, and the next event is served',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY);
      await project.startClient().event('owner');
      const junk = ['{"db": "btd", "table": 7}', '{"truncated":', '\u0000\u0001', '[]'];
      for (const line of junk) {
        const args = [
          '-b',
          project.brokers,
          '-P',
          '-t',
          `${project.prefix}frontier-adw`,
          '-p',
          '1',
          '-D',
          '~',
        ];
        await execa('kcat', args, { input: line });
      }
      expect((await trigger(project, '201705', '--wait')).exitCode).toBe(0);
      expect(await kcat(project, 'frontier-adw.dlq')).toEqual(junk);
      expect((await finishes(project)).map(({ runKey }) => runKey)).toEqual(['201705']);
    },
  );

  test.concurrent(
    'SIGTERM ends the client and its job, and leaves the run to the next client',
    async ({ makeProject }) => {
      const project = await makeProject(
        MONTHLY,
        '[ "$HIPPO_ATTEMPT" = 1 ] && { sleep 300 & sleep 300; }; exit 0',
      );
      const first = project.startClient();
      await first.event('owner');
      await trigger(project, '201704');
      const { pid } = await first.event('submitted');
      first.kill('SIGTERM');
      expect((await first.ended).exitCode).toBe(0);
      expect(await processesTagged({ HIPPO_NAME: project.name })).toEqual([]);
      expect(groupIsAlive(pid)).toBe(false);
      expect(await finishes(project)).toEqual([]);
      await project.startClient().event('finished');
      expect(await finishes(project)).toMatchObject([{ isSuccess: true }]);
    },
  );

  test.concurrent('without a Kafka each command says so and names the broker', async ({ makeProject }) => {
    // A broker that refuses connections is not waited for, or this test would take too long.
    const project = await makeProject(MONTHLY, 'exit 0', 'kafka: { connect_timeout: 20m }');
    const env = { HIPPO_BROKERS: '127.0.0.1:1' };
    for (const args of [
      ['trigger', '--partition', 'yyyymm=201704'],
      ['tail'],
      ['run'],
      ['tractor'],
      ['up'],
    ]) {
      const { exitCode, stderr } = await project.hippo(args, { env });
      expect({ args, exitCode }).toEqual({ args, exitCode: 3 });
      expect(stderr).toContain('Kafka cannot be reached at 127.0.0.1:1');
    }
  });
});

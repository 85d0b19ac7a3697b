import { describe, expect } from 'vitest';
import { addPartitions, produce } from '../support/admin.ts';
import { type TestClient, type TestProject, kcat, test, until } from '../support/project.ts';

/** Each partition that lands is a run. */
const EACH = `load: { needs: [{ table: btd.party }], run: ./job.sh, concurrency: 50 }`;
const FROM_THE_END = 'client: { session_timeout: 6s, start_from: end }';

/** Events of a program that is not ours, one for each number: `no=3`. */
function events(numbers: readonly number[]): string[] {
  return numbers.map((number) =>
    JSON.stringify({
      db: 'btd',
      table: 'party',
      partition: [{ name: 'no', value: String(number) }],
      exec_date: 1,
    }),
  );
}

async function publish(project: TestProject, partition: number, numbers: readonly number[]): Promise<void> {
  const topic = `${project.prefix}frontier-adw`;
  await produce(project.brokers.split(','), { topic, partition }, events(numbers));
}

const grow = (project: TestProject, topic: string, partitions: number): Promise<void> =>
  addPartitions(project.brokers.split(','), `${project.prefix}${topic}`, partitions);

/** The keys of the runs that have been started, in their order, each as often as it was. */
async function started(project: TestProject): Promise<string[]> {
  const lines = await kcat(project, 'hippo-start');
  return lines.map((line) => (JSON.parse(line) as { run_key: string }).run_key).sort();
}

async function runsOf(project: TestProject, numbers: readonly number[]): Promise<void> {
  const expected = numbers.map((number) => `no=${number}`).sort();
  await until(async () => (await started(project)).length >= expected.length, `runs ${expected.join(' ')}`);
  expect(await started(project)).toEqual(expected);
}

const said = ({ events: all }: TestClient, event: string): object[] =>
  all.filter((each) => each.event === event);

describe('partitions are added', () => {
  test.concurrent(
    'while the client runs, with start_from: end: an event in a new one is run',
    async ({ makeProject }) => {
      const project = await makeProject(EACH, 'exit 0', FROM_THE_END);
      await publish(project, 0, [0]);
      const client = project.startClient();
      await client.event('owner');
      await grow(project, 'frontier-adw', 6);
      await grow(project, 'hippo-finish', 5);
      await publish(project, 5, [5]);
      await runsOf(project, [5]);
      await client.event('notice', ({ text }) => text.includes('hippo-finish: partition 4 was added'));
      expect(client.events).toContainEqual(
        expect.objectContaining({
          event: 'notice',
          level: 'info',
          text: `${project.prefix}frontier-adw: partitions 4, 5 were added; reading from the beginning`,
        }),
      );
      expect(said(client, 'disconnected')).toEqual([]);
      expect(said(client, 'owner')).toHaveLength(1);
    },
  );

  test.concurrent(
    'while it is down, with start_from: end: doctor counts the event, and it is run',
    async ({ makeProject }) => {
      const project = await makeProject(EACH, 'exit 0', FROM_THE_END);
      const client = project.startClient();
      await client.event('owner');
      await publish(project, 0, [0]);
      await client.event('finished');
      client.kill('SIGTERM');
      await client.ended;
      await grow(project, 'frontier-adw', 6);
      await publish(project, 5, [5]);

      const { stdout } = await project.hippo(['doctor', 'group', '--json']);
      expect(stdout).toContain('1 message waits');
      const stuck = await project.hippo(['tractor', '--json']);
      expect(stuck.exitCode, stuck.stdout).toBeLessThan(2);

      expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
      await runsOf(project, [0, 5]);
    },
  );
});

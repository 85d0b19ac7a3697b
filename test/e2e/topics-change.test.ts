import { describe, expect } from 'vitest';
import { connectKafka } from '../../src/kafka/connect.ts';
import { addPartitions, produce, removeBefore } from '../support/admin.ts';
import { kafkaSettings, remakeTopic } from '../support/kafka.ts';
import { type TestClient, type TestProject, kcat, test, trigger, until } from '../support/project.ts';

/** Each partition that lands is a run. */
const EACH = `load: { needs: [{ table: btd.party }], run: ./job.sh, concurrency: 50 }`;
const OBSERVED = 'client: { session_timeout: 30s, http: { port: 0 } }';
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

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

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

async function remake(project: TestProject, topic: string, partitions: number): Promise<void> {
  const kafka = await connectKafka({ brokers: project.brokers.split(','), settings: kafkaSettings() });
  try {
    await remakeTopic(kafka, `${project.prefix}${topic}`, partitions);
  } finally {
    await kafka.close();
  }
}

/** As doctor says of a hippo whose client is down. */
async function messagesThatWait(project: TestProject): Promise<number> {
  const { stdout } = await project.hippo(['doctor', 'group', '--json']);
  return Number(/runs: (\d+) messages? waits?/.exec(stdout)?.[1]);
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
      const waiting = await messagesThatWait(project);
      await publish(project, 5, [5]);
      expect(await messagesThatWait(project)).toBe(waiting + 1);
      expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
      await runsOf(project, [0, 5]);
    },
  );
});

describe('a topic is deleted, and is away for a while', () => {
  test.concurrent('while the client runs: what needs it waits, all else goes on', async ({ makeProject }) => {
    const project = await makeProject(EACH);
    const client = project.startClient();
    await publish(project, 0, [0]);
    await client.event('finished');
    const kafka = await connectKafka({ brokers: project.brokers.split(','), settings: kafkaSettings() });
    const topic = `${project.prefix}frontier-adw`;
    try {
      await kafka.deleteTopics([topic]);
      await client.event('notice', ({ text }) => text.includes(`${topic} does not exist any more`));
      expect((await project.hippo(['job', 'run', 'load', '--key', 'no=1'])).exitCode).toBe(0);
      await client.event('finished', ({ run_key }) => run_key === 'no=1');
      await remakeTopic(kafka, topic, 6);
    } finally {
      await kafka.close();
    }
    await publish(project, 5, [2]);
    await publish(project, 0, [3]);
    await runsOf(project, [0, 1, 2, 3]);
    await client.event('notice', ({ text }) => text === `${topic} can be read again`);
    expect(said(client, 'disconnected')).toEqual([]);
    client.kill('SIGTERM');
    expect((await client.ended).exitCode).toBe(0);
  });
});

describe('records are removed before they are read', () => {
  test.concurrent('while the client runs: it tells which, once, and goes on', async ({ makeProject }) => {
    const project = await makeProject(EACH, 'exit 0', OBSERVED);
    const client = project.startClient();
    await publish(project, 0, [0]);
    await client.event('finished');
    client.kill('SIGSTOP');
    // A fetch may be under way: the first event answers it, and a client that is stopped sends no other.
    await publish(project, 0, [1]);
    await publish(project, 0, range(2, 31));
    const frontier = { topic: `${project.prefix}frontier-adw`, partition: 0 };
    await removeBefore(project.brokers.split(','), frontier, 31);
    client.kill('SIGCONT');

    const { from, ...gap } = await client.event('gap');
    expect(gap).toEqual({
      event: 'gap',
      at: expect.any(String) as string,
      ...frontier,
      to: '31',
      cause: 'removed',
    });
    await publish(project, 0, [31]);
    await runsOf(project, [...range(0, Number(from)), 31]);
    expect(said(client, 'gap')).toHaveLength(1);
    const { http } = await client.event('started');
    const metrics = await (await fetch(`http://${http ?? ''}/metrics`)).text();
    expect(metrics).toMatch(/^hippo_input_gaps_total\{.*cause="removed".*\} 1$/m);
  });

  test.concurrent('while it is down: the same', async ({ makeProject }) => {
    const project = await makeProject(EACH);
    await publish(project, 0, [0]);
    expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
    await publish(project, 0, range(1, 31));
    const frontier = { topic: `${project.prefix}frontier-adw`, partition: 0 };
    await removeBefore(project.brokers.split(','), frontier, 30);
    const { exitCode, stderr } = await project.hippo(['run', '--once']);
    expect(stderr).toContain(
      `${frontier.topic}[0]: messages 1 to 29 were removed, by retention or by hand, before they were read`,
    );
    expect(exitCode).toBe(0);
    await runsOf(project, [0, 30]);
  });
});

describe('a topic is deleted and made again, with a log that is longer than what was read', () => {
  const warning = (project: TestProject): object => ({
    event: 'gap',
    topic: `${project.prefix}frontier-adw`,
    partition: 0,
    to: '0',
    cause: 'made-again',
  });

  test.concurrent(
    'while the client runs: all of its events are run, after a warning',
    async ({ makeProject }) => {
      const project = await makeProject(EACH);
      const client = project.startClient();
      await publish(project, 0, range(0, 10));
      await runsOf(project, range(0, 10));
      await remake(project, 'frontier-adw', 4);
      await publish(project, 0, range(10, 25));
      await runsOf(project, range(0, 25));
      expect(said(client, 'gap')).toMatchObject([{ ...warning(project), from: '10' }]);
      expect(said(client, 'disconnected')).toEqual([]);

      // What is read and written since belongs to the new topic.
      client.kill('SIGTERM');
      await client.ended;
      await publish(project, 0, [25]);
      const { exitCode, stdout } = await project.hippo(['run', '--once', '--json']);
      expect(exitCode).toBe(0);
      expect(stdout).not.toContain('"event":"gap"');
      await runsOf(project, range(0, 26));
    },
  );

  test.concurrent('while it is down: the same', async ({ makeProject }) => {
    const project = await makeProject(EACH);
    await publish(project, 0, range(0, 10));
    expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
    await remake(project, 'frontier-adw', 4);
    await publish(project, 0, range(10, 25));
    const { exitCode, stdout } = await project.hippo(['run', '--once', '--json']);
    expect(exitCode).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.filter(({ event }) => event === 'gap')).toMatchObject([
      { ...warning(project), from: '10' },
    ]);
    await runsOf(project, range(0, 25));
  });

  test.concurrent(
    'trigger --wait does not take a failed run of the topic before for its own',
    async ({ makeProject }) => {
      const project = await makeProject(EACH, 'case $HIPPO_RUN_KEY in *=201704) exit 1;; esac');
      const client = project.startClient();
      await client.event('owner');
      expect((await trigger(project, '201704', '--wait')).exitCode).toBe(1);
      await remake(project, 'frontier-adw', 4);
      // At the same partition and offset, by its key.
      const { exitCode, stdout } = await trigger(project, '201705', '--wait', '--json');
      expect(exitCode, stdout).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ wait: { runs: [{ run_key: 'yyyymm=201705' }] } });
      expect((JSON.parse(stdout) as { wait: { runs: unknown[] } }).wait.runs).toHaveLength(1);
    },
  );
});

import { expect } from 'vitest';
import { parseStart } from '../../src/messages/index.ts';
import type { SimulationReport } from '../../src/simulate/session.ts';
import { readAll, testKafka } from '../support/kafka.ts';
import { type TestProject, test } from '../support/project.ts';

const JOBS = `join:
  every: month
  needs:
    - { table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }
    - { table: btd.sales, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }
  run: ./job.sh
each:
  needs: [{ table: btd.sales }]
  run: ./job.sh`;

const land = (project: TestProject, table: string, month: string) =>
  project.hippo(['trigger', '--table', table, '--partition', `yyyymm=${month}`]);

const byJob = (a: { job: string; key: string }, b: { job: string; key: string }): number =>
  `${a.job} ${a.key}` < `${b.job} ${b.key}` ? -1 : 1;

test('what is simulated is what the client then does; and nothing was written', async ({ makeProject }) => {
  const kafka = await testKafka();
  const project = await makeProject(JOBS);
  for (const [table, month] of [
    ['btd.party', '201704'],
    ['btd.sales', '201705'],
    ['btd.sales', '201704'],
    ['btd.other', '201704'],
  ] as const) {
    await land(project, table, month);
  }
  const ends = async (): Promise<unknown> =>
    Promise.all(
      (await kafka.topics())
        .filter(({ topic }) => topic.startsWith(project.prefix))
        .map(async ({ topic }) => [topic, await kafka.offsets(topic)]),
    );
  const before = await ends();
  const live = await project.hippo(['simulate', '--json']);
  expect(live.exitCode, live.stderr).toBe(0);
  expect(await ends()).toEqual(before);
  const simulation = JSON.parse(live.stdout) as SimulationReport;

  const recorded = await project.hippo(['tail', '--from', 'beginning', '--exit-at-end', '--json']);
  const fromFile = await project.hippo(['simulate', '-', '--json'], {
    input: recorded.stdout,
    // Needs no Kafka.
    env: { HIPPO_BROKERS: '127.0.0.1:1' },
  });
  expect(JSON.parse(fromFile.stdout)).toEqual(simulation);

  expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
  const starts = (await readAll(kafka, `${project.prefix}hippo-start`)).map(({ value }) => {
    const parsed = parseStart(value ?? '');
    if (!parsed.ok) throw new Error(parsed.rejection.reason);
    const { jobName: job, runKey: key = '', receiveMsgs = [] } = parsed.message;
    return {
      job,
      key,
      inputs: receiveMsgs.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
    };
  });
  const simulated = simulation.fired.map(({ job, run_key: key, inputs }) => ({
    job,
    key,
    inputs: inputs.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
  }));
  expect(starts).toHaveLength(3);
  expect(simulated.sort(byJob)).toEqual(starts.sort(byJob));
  expect(simulation.waiting).toMatchObject([
    {
      job: 'join',
      run_key: '201705',
      missing: [{ needs: [{ need: 'btd.party', expected: 'yyyymm=201705' }] }],
    },
  ]);
  expect(simulation.input.unneeded).toEqual({ 'btd.other': 1 });
});

test('--from and --to choose from the topics; a dead broker is said', async ({ makeProject }) => {
  const project = await makeProject(JOBS);
  await land(project, 'btd.sales', '201704');
  const none = await project.hippo(['simulate', '--from', '-2h', '--to', '-1h']);
  expect(none.stdout).toBe(`${project.name} with 0 records\n\nNothing would fire. There are no records.\n`);
  const some = await project.hippo(['simulate', '--from', '-1h']);
  expect(some.stdout).toContain('▶ each yyyymm=201704');
  expect((await project.hippo(['simulate', 'events.jsonl', '--from', '-1h'])).exitCode).toBe(2);
  const dead = await project.hippo(['simulate'], { env: { HIPPO_BROKERS: '127.0.0.1:1' } });
  expect(dead.stderr).toContain('Kafka cannot be reached at 127.0.0.1:1');
  expect(dead.exitCode).toBe(3);
});

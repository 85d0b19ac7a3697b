import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { groupName, identityOf } from '../../src/config/groups.ts';
import { parseConfig } from '../../src/config/schema.ts';
import type { Kafka } from '../../src/kafka/port.ts';
import { serialiseModel } from '../../src/messages/index.ts';
import { testKafka } from '../support/kafka.ts';
import { type TestProject, finishes, test, until } from '../support/project.ts';

const TRAIN = `train:
  needs: [{ topic: model, where: 'value.message == "BUILD_MODEL" && value.model == "iris"' }]
  run: ./job.sh
  args: ["{{ needs['model'].model }}", "{{ needs['model'].depth }}"]`;

async function tell(kafka: Kafka, { prefix }: TestProject, message: string, model: string, depth: number) {
  const value = serialiseModel({ kind: 'model', message, model, extra: { depth } });
  const producer = await kafka.producer();
  await producer.send([{ topic: `${prefix}hippo-model`, key: model, value, headers: {} }]);
  await producer.close();
}

test('a message on the model topic starts a run, and what was there before the first start does not', async ({
  makeProject,
}) => {
  const project = await makeProject(TRAIN, 'echo "$@" >> ran');
  const kafka = await testKafka();
  await tell(kafka, project, 'BUILD_MODEL', 'iris', 1);
  const first = project.startClient();
  await first.event('owner');
  const config = parseConfig({ topics: { prefix: project.prefix } });
  const group = groupName(identityOf(config, project.name));
  const topic = `${project.prefix}hippo-model`;
  await until(async () => (await kafka.committed(group, [topic])).length === 1, 'it reads the model topic');
  await tell(kafka, project, 'BUILD_MODEL', 'iris', 2);
  await tell(kafka, project, 'BUILD_MODEL', 'movies', 3);
  await tell(kafka, project, 'KILL', 'iris', 4);
  await until(async () => (await finishes(project)).length === 1, 'the first run ends');
  first.kill('SIGTERM');
  expect((await first.ended).exitCode).toBe(0);

  // What comes while no client runs is waiting for the next one.
  await tell(kafka, project, 'BUILD_MODEL', 'iris', 5);
  const again = project.startClient();
  await until(async () => (await finishes(project)).length === 2, 'the second run ends');
  const published = await finishes(project);
  expect(published.map(({ jobName, isSuccess }) => [jobName, isSuccess])).toEqual([
    ['train', true],
    ['train', true],
  ]);
  for (const { runKey = '', receiveMsgs } of published) {
    const [from] = receiveMsgs ?? [];
    expect(runKey.endsWith(`Z-${from?.partition}-${from?.offset}`)).toBe(true);
  }
  expect(await project.file('ran')).toBe('iris 2\niris 5\n');
  await again.event('owner');

  const tail = await project.hippo(['tail', 'model', '--exit-at-end', '--from', 'beginning']);
  expect(tail.stdout).toContain('◆ BUILD_MODEL iris');
});

const LOAD = `load:
  every: day
  needs: [{ table: btd.party, partition: { dt: '{{ window }}' }, when: value.rows > 0 }]
  run: ./job.sh`;

test('a landing that does not meet the condition is passed over, and the next one runs', async ({
  makeProject,
}) => {
  const project = await makeProject(LOAD, 'echo "$HIPPO_RUN_KEY" >> ran');
  const event = (rows: number): string =>
    `{"db":"btd","table":"party","partition":[{"name":"dt","value":"2017-04-28"}],"method":"partition","exec_date":"1493394946","rows":${rows}}`;
  await writeFile(join(project.directory, 'events.jsonl'), [event(0), event(7)].join('\n'));
  const client = project.startClient();
  await client.event('owner');
  expect((await project.hippo(['trigger', '--file', 'events.jsonl'])).exitCode).toBe(0);
  const { text } = await client.event('notice', (notice) => notice.text.includes('passes over'));
  expect(text).toMatch(
    /^load passes over btd\.party dt=2017-04-28 \(.* the condition value\.rows > 0 is false$/,
  );
  await until(async () => (await finishes(project)).length === 1, 'the run ends');
  expect(await project.file('ran')).toBe('2017-04-28\n');
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { topicName } from '../../src/config/topics.ts';
import { parseConfig } from '../../src/config/schema.ts';
import { parseFinish, parseStart } from '../../src/messages/index.ts';
import type { TriggerReport } from '../../src/trigger/trigger.ts';
import { readAll, testKafka } from '../support/kafka.ts';
import { test } from '../support/project.ts';

const COUNT = 5_000;
const REGIONS = Array.from({ length: COUNT }, (_, index) => `region-${index}-${'x'.repeat(40)}`);

const JOBS = `load:
  every: day
  needs:
    - each: { region: [${REGIONS.join(', ')}] }
      table: shop.orders
      partition: { dt: '{{ window }}', region: '{{ region }}' }
  run: ./job.sh`;

const event = (region: string): string =>
  `{"db":"shop","table":"orders","partition":[{"name":"dt","value":"2017-04-28"},{"name":"region","value":"${region}"}],"method":"partition","exec_date":"1493394946"}`;

test('a run of 5,000 needs is taken in within seconds, and trigger --wait sees what became of each event', async ({
  makeProject,
}) => {
  const project = await makeProject(JOBS, 'test "$(grep -o region- "$HIPPO_INPUTS_FILE" | wc -l)" -ge 5000');
  await writeFile(join(project.directory, 'events.jsonl'), REGIONS.map(event).join('\n'));
  const client = project.startClient();
  await client.event('owner');
  const { stdout, stderr, exitCode } = await project.hippo([
    ...['trigger', '--file', 'events.jsonl', '--wait', '--timeout', '120s', '--json'],
  ]);
  const report = JSON.parse(stdout) as TriggerReport;
  expect({ exitCode, wait: report.wait?.outcome, unanswered: report.wait?.unanswered }).toEqual({
    exitCode: 0,
    wait: 'succeeded',
    unanswered: 0,
  });
  // However many needs it has, it names a few.
  for (const line of stderr.split('\n')) expect(line.length).toBeLessThan(2_000);
  expect(report.wait?.runs.map(({ job, outcome, because }) => [job, outcome, because.length])).toEqual([
    ['load', 'succeeded', COUNT],
  ]);

  const kafka = await testKafka();
  const config = parseConfig({ topics: { prefix: project.prefix } });
  const bytes = async (role: 'start' | 'finish' | 'state'): Promise<number> =>
    (await readAll(kafka, topicName(config, role))).reduce(
      (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0),
      0,
    );
  expect(await bytes('state')).toBeLessThan(10_000_000);
  expect(await bytes('start')).toBeLessThan(2_000);
  expect(await bytes('finish')).toBeLessThan(2_000);
  const [start] = await readAll(kafka, topicName(config, 'start'));
  const [finish] = await readAll(kafka, topicName(config, 'finish'));
  expect(parseStart(start!.value!)).toMatchObject({ message: { receiveCount: COUNT } });
  expect(parseFinish(finish!.value!)).toMatchObject({ message: { receiveCount: COUNT, isSuccess: true } });
});

import { afterAll, beforeAll, expect } from 'vitest';
import { type RunningBroker, startBroker } from '../../src/stack/broker.ts';
import { OLDEST_KAFKA_VERSION, installKafka } from '../../src/stack/distribution.ts';
import { makeFolder } from '../support/folder.ts';
import { finishes, test, trigger } from '../support/project.ts';

const MONTHLY = `load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh`;

// All other tests run on the newest one.
let broker: RunningBroker;
beforeAll(async () => {
  const kafka = await installKafka(() => undefined, undefined, OLDEST_KAFKA_VERSION);
  broker = await startBroker({ directory: await makeFolder('oldest'), kafka });
});
afterAll(() => broker.stop());

test('the oldest Kafka: events in, runs done, records out', async ({ makeProject }) => {
  expect(broker.version).toBe(OLDEST_KAFKA_VERSION);
  const [address = ''] = broker.brokers;
  const project = await makeProject(MONTHLY, 'exit 0', undefined, address);
  const client = project.startClient();
  await client.event('owner');
  expect(await trigger(project, '201704', '--wait')).toMatchObject({ exitCode: 0 });

  const range = [
    'trigger',
    '--table',
    'btd.party',
    '--partition',
    'yyyymm=%Y%m',
    '--range',
    '2017-05..2017-07',
  ];
  expect(await project.hippo([...range, '--wait'])).toMatchObject({ exitCode: 0 });
  expect((await finishes(project)).map(({ isSuccess }) => isSuccess)).toEqual([true, true, true, true]);

  const tail = await project.hippo(['tail', 'finish', '--from', 'beginning', '--exit-at-end', '--json']);
  expect(tail.exitCode).toBe(0);
  expect(tail.stdout.trimEnd().split('\n')).toHaveLength(4);
  const last = await project.hippo(['tail', 'frontier', '--last', '1', '--exit-at-end', '--raw']);
  expect(last.stdout).toContain('201707');

  const doctor = await project.hippo(['doctor', 'kafka', 'topics', 'group']);
  expect(doctor.exitCode, doctor.stdout).toBe(0);
  expect((await project.hippo(['tractor'])).exitCode).toBe(0);

  client.kill('SIGTERM');
  expect((await client.ended).exitCode).toBe(0);
});

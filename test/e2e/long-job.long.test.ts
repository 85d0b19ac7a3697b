import { expect } from 'vitest';
import { finishes, test, trigger } from '../support/project.ts';

test('a job of 90 s with a session timeout of 10 s runs once', async ({ makeProject }) => {
  const project = await makeProject(
    `load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh`,
    'echo begun >> begun; sleep 90; echo ended >> ended',
    'client: { session_timeout: 10s }',
  );
  const client = project.startClient();
  await client.event('owner');
  await trigger(project, '201704');
  await client.event('submitted');
  await client.event('finished', undefined, 300_000);
  expect(await project.file('begun')).toBe('begun\n');
  expect(await project.file('ended')).toBe('ended\n');
  expect(client.events.filter(({ event }) => event === 'lost')).toEqual([]);
  expect(await finishes(project)).toMatchObject([{ isSuccess: true }]);
});

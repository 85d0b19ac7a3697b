import { stat } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { finishes, test, trigger, until } from '../support/project.ts';

const LIMIT = 2 ** 20;
const YES = `load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ["yes"]`;
const MARKER = /^hippo: (\d+) bytes of this log were removed here/m;

describe('a job that prints without end', () => {
  test('does not fill the disk, and can be cancelled', async ({ makeProject }) => {
    const project = await makeProject(
      YES,
      'exit 0',
      'client: { session_timeout: 6s }\nlogs: { attempt_size: 1MiB }',
    );
    const client = project.startClient();
    await client.event('owner');
    await trigger(project, '201704');
    const { log } = await client.event('submitted');
    const removed = async (): Promise<number> =>
      Number(MARKER.exec((await project.file(log.slice(project.directory.length + 1))).slice(0, LIMIT))?.[1]);
    await until(async () => (await removed()) > 20 * LIMIT, 'twenty times the limit was removed');
    await client.event('notice', ({ text }) =>
      text.startsWith('its log has reached 1 MiB (logs.attempt_size)'),
    );
    await project.hippo(['job', 'cancel', 'load', '--key', '201704', '--reason', 'enough']);
    await client.event('finished');
    expect((await stat(log)).size).toBeLessThanOrEqual(LIMIT);
    const [finish] = await finishes(project);
    expect(finish).toMatchObject({ isSuccess: false, runKey: '201704' });
    expect(finish?.errorMsg).toMatch(/^cancelled by .*: enough\n(y\n){19}y$/);

    const doctor = await project.hippo(['doctor', 'disk']);
    expect(doctor.stdout).toMatch(/logs: \d+ (KiB|MiB) of 1 attempt$/m);
  });
});

import { expect, it } from 'vitest';
import { disk } from '../../../src/doctor/checks/disk.ts';
import { lines, never, newMachine } from '../machine.ts';

const YAML = `name: etl
logs: { attempt_size: 1MiB, max_size: 2MiB }
jobs: { load: { needs: [{ table: a.a }] } }
`;

it('tells how much the logs of the project take, and warns where that is more than logs.max_size', async () => {
  await using machine = await newMachine();
  await machine.file('hippo.yaml', YAML);
  const logs = async (): Promise<string[]> =>
    lines(await disk.run(await machine.environment(), never)).filter((line) => line.includes(': logs: '));
  expect(await logs()).toEqual(['ok: logs: 0 bytes of 0 attempts']);
  const mebibyte = Buffer.alloc(2 ** 20);
  await machine.file('.hippo/logs/load/a.load-1493394946-1-0a.log', mebibyte);
  await machine.file('.hippo/logs/api/1234.log', mebibyte);
  expect(await logs()).toEqual(['ok: logs: 1 MiB of 1 attempt, 1 MiB of services']);
  await machine.file('.hippo/logs/load/b.load-1493394947-1-0b.log', mebibyte);
  await machine.file('.hippo/logs/load/b.load-1493394948-2-0c.log', 'one more');
  expect(await logs()).toEqual([
    'warning: logs: 2 MiB of 3 attempts, 1 MiB of services: more than logs.max_size, 2 MiB',
  ]);
});

it('says nothing of logs where there is no project', async () => {
  await using machine = await newMachine();
  const found = lines(await disk.run(await machine.environment(), never));
  expect(found.filter((line) => line.includes('logs'))).toEqual([]);
});

import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { alerts } from '../../../src/doctor/checks/alerts.ts';
import { lines, never, newMachine } from '../machine.ts';

async function diagnosed(section: string) {
  await using machine = await newMachine();
  await machine.file('hippo.yaml', `name: etl\n${section}`);
  return await alerts.run(await machine.environment(), never);
}

/** @returns a port of the loopback address on which connections are accepted */
async function listening(): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

it('tells receivers that can be reached from those that cannot, and what no receiver is told of', async () => {
  const port = await listening();
  const receiver = (url: string): string =>
    `{ webhook: { url: "${url}" }, conditions: [deadline, absent, gave-up, failed, crash-loop, paused] }`;
  const found = await diagnosed(`alerts:
  receivers:
    here: ${receiver(`http://127.0.0.1:${port}/hook?token=secret`)}
    gone: ${receiver('http://127.0.0.1:1/hook')}`);
  expect(found.summary).toBe('2 receivers');
  expect(lines(found)).toEqual([
    `ok: here: 127.0.0.1:${port} accepts connections`,
    'warning: gone: 127.0.0.1:1 cannot be reached from this machine: 127.0.0.1:1: ECONNREFUSED',
    'warning: No receiver is told of alerts of the kinds dead-letters, denied',
  ]);
});

it('warns where alerts have no receivers, and is skipped where there are no alerts', async () => {
  expect(lines(await diagnosed('alerts: {}'))).toEqual([
    'warning: alerts has no receivers: alerts are published, and no person is told',
  ]);
  expect(lines(await diagnosed(''))).toEqual(['skipped: hippo.yaml has no alerts']);
});

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBroker } from '../../src/stack/broker.ts';
import { findBroker, stopBroker } from '../../src/stack/found-broker.ts';
import { fakeKafka } from '../support/fake-kafka.ts';

let folder: string;
let directory: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-broker-'));
  directory = join(folder, 'stack');
});
afterEach(async () => {
  await stopBroker(directory);
  await rm(folder, { recursive: true, force: true });
});

test('a broker that starts slowly is waited for as long as its log grows', async () => {
  const env = await fakeKafka(
    folder,
    `let lines = 0;
     setInterval(() => { lines += 1; log('loading segment ' + lines); if (lines === 30) listen(); }, 50);`,
  );
  const broker = await startBroker({ directory, env, quiet: 1_000 });
  expect(await readFile(broker.logFile, 'utf8')).toContain('loading segment 30');
});

test('a broker whose log does not grow is given up: its process is ended, and its log is kept', async () => {
  const env = await fakeKafka(folder, `log('waiting for a lock'); setInterval(() => undefined, 1_000);`);
  const start = startBroker({ directory, env, quiet: 700 });
  const log = join(directory, 'broker.log');
  await expect(start).rejects.toMatchObject({
    message: 'Kafka is not ready, and its log has not grown for 700 ms',
    why: 'waiting for a lock',
    exitCode: 4,
    next: [`look at ${log}`],
  });
  expect(existsSync(log)).toBe(true);
  expect(await findBroker(directory)).toBeNull();
});

test('a broker that logs and never gets ready is given up after the time limit', async () => {
  const env = await fakeKafka(folder, `setInterval(() => log('electing a leader'), 20);`);
  await expect(startBroker({ directory, env, timeout: 700 })).rejects.toMatchObject({
    message: 'Kafka was not ready within 700 ms',
    exitCode: 4,
    next: ['give it more time: hippo up --timeout 15m', `look at ${join(directory, 'broker.log')}`],
  });
  expect(await findBroker(directory)).toBeNull();
});

/** vitest's global setup: a folder for the brokers that {@link testBrokers} starts, and their end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopBrokersBelow } from './brokers-below.ts';
import { watchdog } from './watchdog.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    brokerFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-test-kafka-'));
  const callOff = watchdog(folder);
  project.provide('brokerFolder', folder);
  return async () => {
    await stopBrokersBelow(folder);
    callOff();
    await rm(folder, { recursive: true, force: true });
  };
}

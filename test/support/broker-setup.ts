/**
 * One real broker for all tests of the project `kafka`: `inject('brokers')` gives its addresses. `HIPPO_TEST_BROKERS`
 * (host:port, …) names running ones to use instead.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startBroker } from '../../src/stack/broker.ts';
import { watchdog } from './watchdog.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port`, … of a real Kafka. */
    brokers: string[];
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['HIPPO_TEST_BROKERS'];
  if (given !== undefined && given !== '') {
    project.provide(
      'brokers',
      given.split(',').map((broker) => broker.trim()),
    );
    return undefined;
  }
  const directory = await mkdtemp(join(tmpdir(), 'hippo-test-kafka-'));
  const broker = await startBroker({
    directory,
    // What is to be compacted soon is.
    properties: { 'log.cleaner.backoff.ms': '200' },
  });
  const callOff = watchdog(broker.pid, directory);
  project.provide('brokers', broker.brokers);
  return async () => {
    await broker.stop();
    callOff();
    await rm(directory, { recursive: true, force: true });
  };
}

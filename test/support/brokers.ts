import { join } from 'node:path';
import { inject } from 'vitest';
import { startBroker } from '../../src/stack/broker.ts';

const DAY_MS = 86_400_000;

let brokers: Promise<string[]> | undefined;

/**
 * The addresses, `host:port`, of a real Kafka that no other test file uses at the same time: each of vitest's workers has a
 * broker of its own, started when the first file asks for it. `HIPPO_TEST_BROKERS` (host:port, …) names running brokers to
 * use instead; vitest.config.ts then runs one file at a time.
 */
export function testBrokers(): Promise<string[]> {
  return (brokers ??= ofThisWorker());
}

async function ofThisWorker(): Promise<string[]> {
  const given = process.env['HIPPO_TEST_BROKERS'];
  if (given !== undefined && given !== '') return given.split(',').map((broker) => broker.trim());
  const broker = await startBroker({
    // An earlier file of this worker may have started it: then that one is used.
    directory: join(inject('testFolder'), `worker-${process.env['VITEST_POOL_ID'] ?? ''}`),
    properties: {
      // The tests of compaction wait for the cleaner.
      'log.cleaner.backoff.ms': '200',
      // Some write records of years ago: the broker would remove them half a minute after its start, or five minutes later.
      'log.initial.task.delay.ms': String(DAY_MS),
      'log.retention.check.interval.ms': String(DAY_MS),
    },
  });
  return broker.brokers;
}

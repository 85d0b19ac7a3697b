/** The three kinds of tests, which their files' names tell apart. */
import type { TestProjectInlineConfiguration } from 'vitest/config';

const LONG = 'test/**/*.long.test.ts';
const KAFKA = ['test/**/*.kafka.test.ts', 'test/e2e/**/*.test.ts'];

const hasOwnBrokers = (process.env['HIPPO_TEST_BROKERS'] ?? '') !== '';

/**
 * Each worker has a Kafka of its own. Most tests wait, so there are more workers than processors. Given brokers serve one
 * file at a time.
 */
const WORKERS = hasOwnBrokers ? 1 : 4;

/** Pure logic and single processes. */
export const unitTests: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    include: ['test/**/*.test.ts'],
    exclude: [LONG, ...KAFKA],
    globalSetup: ['test/support/tools-setup.ts'],
    maxWorkers: WORKERS,
    // No test asserts how long something takes; this is for a machine that is many times slower.
    testTimeout: 60_000,
  },
};

/** A real Kafka and the built CLI. */
export const kafkaTests: TestProjectInlineConfiguration = {
  test: {
    name: 'kafka',
    include: KAFKA,
    exclude: [LONG],
    globalSetup: [
      'test/support/tools-setup.ts',
      'test/support/build-setup.ts',
      'test/support/kafka-setup.ts',
      'test/support/broker-setup.ts',
    ],
    maxWorkers: WORKERS,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
};

/** What must take long: Spark, brokers and clients that are ended and waited for. */
export const longTests: TestProjectInlineConfiguration = {
  test: {
    name: 'long',
    include: [LONG],
    globalSetup: [
      'test/support/tools-setup.ts',
      'test/support/build-setup.ts',
      'test/support/kafka-setup.ts',
      'test/support/spark-setup.ts',
      'test/support/broker-setup.ts',
    ],
    maxWorkers: hasOwnBrokers ? 1 : 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
};

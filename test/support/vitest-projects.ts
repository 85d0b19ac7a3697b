/** The three kinds of tests, which their files' names tell apart. */
import type { TestProjectInlineConfiguration } from 'vitest/config';

const LONG = 'test/**/*.long.test.ts';
const SOAK = 'test/**/*.soak.test.ts';
const KAFKA = ['test/**/*.kafka.test.ts', 'test/e2e/**/*.test.ts'];

const hasOwnBrokers = (process.env['HIPPO_TEST_BROKERS'] ?? '') !== '';

/**
 * Each worker has a Kafka of its own. Most tests wait, so there are more workers than processors. Given brokers serve one
 * file at a time.
 */
const WORKERS = hasOwnBrokers ? 1 : 4;

/** No test asserts how long something takes. What hangs is ended, on a machine that is many times slower too, after this. */
const PATIENCE = { testTimeout: 60_000, hookTimeout: 300_000, expect: { poll: { timeout: 120_000 } } };

/** Pure logic and single processes. */
export const unitTests: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    include: ['test/**/*.test.ts'],
    exclude: [LONG, SOAK, ...KAFKA],
    globalSetup: ['test/support/tools-setup.ts'],
    maxWorkers: WORKERS,
    ...PATIENCE,
  },
};

/** A real Kafka and the built CLI. */
export const kafkaTests: TestProjectInlineConfiguration = {
  test: {
    name: 'kafka',
    include: KAFKA,
    exclude: [LONG, SOAK],
    globalSetup: [
      'test/support/tools-setup.ts',
      'test/support/build-setup.ts',
      'test/support/kafka-setup.ts',
      'test/support/postgres-setup.ts',
      'test/support/folder-setup.ts',
    ],
    maxWorkers: WORKERS,
    ...PATIENCE,
    testTimeout: 300_000,
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
      'test/support/postgres-setup.ts',
      'test/support/spark-setup.ts',
      'test/support/places-setup.ts',
      'test/support/folder-setup.ts',
    ],
    maxWorkers: hasOwnBrokers ? 1 : 2,
    ...PATIENCE,
    testTimeout: 900_000,
  },
};

/** What takes longer still: compilers, and all that is killed at every step. */
export const soakTests: TestProjectInlineConfiguration = {
  test: { ...longTests.test, name: 'soak', include: [SOAK], testTimeout: 3_600_000 },
};

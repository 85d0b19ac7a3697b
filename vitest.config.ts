import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          globalSetup: ['test/support/tools-setup.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/**/*.kafka.test.ts'],
        },
      },
      {
        test: {
          name: 'kafka',
          include: ['test/**/*.kafka.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: [
            'test/support/tools-setup.ts',
            'test/support/build-setup.ts',
            'test/support/stack-setup.ts',
            'test/support/broker-setup.ts',
          ],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';
import { kafkaTests, unitTests } from './test/support/vitest-projects.ts';

/** `npm test`. What takes long is in vitest.long.config.ts. */
export default defineConfig({ test: { projects: [unitTests, kafkaTests] } });

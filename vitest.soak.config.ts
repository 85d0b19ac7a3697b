import { defineConfig } from 'vitest/config';
import { soakTests } from './test/support/vitest-projects.ts';

/** The first half of `npm run test:soak`, by hand: what neither a developer nor the gate waits for. */
export default defineConfig({ test: { projects: [soakTests] } });

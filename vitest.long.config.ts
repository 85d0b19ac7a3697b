import { defineConfig } from 'vitest/config';
import { longTests } from './test/support/vitest-projects.ts';

/** `npm run test:long`. */
export default defineConfig({ test: { projects: [longTests] } });

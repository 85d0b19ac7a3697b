/**
 * vitest's global setup: a folder for brokers and projects of tests. When vitest ends, interrupted or not, what runs in the
 * folder is ended and the folder is removed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { endProcessesBelow } from './end-processes.ts';
import { watchdog } from './watchdog.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** See {@link makeFolder}. */
    testFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-test-'));
  const callOff = watchdog(folder);
  project.provide('testFolder', folder);
  return async () => {
    await endProcessesBelow(folder);
    callOff();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}

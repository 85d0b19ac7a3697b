import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Step } from '../../src/core/steps.ts';
import { runSteps } from '../../src/ui/steps.ts';

describe('steps off a terminal', () => {
  let written = '';
  beforeEach(() => {
    written = '';
    vi.stubEnv('CI', '1');
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      written += String(chunk);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  const lines = (): string[] =>
    written
      .trimEnd()
      .split('\n')
      // eslint-disable-next-line no-control-regex
      .map((line) => line.replace(/\u001B\[\d+m/g, '').replace(/\((less than )?[\d.]+ m?s\)$/, '(time)'));

  it('prints what was done, what was skipped and why, and details of what takes long', async () => {
    const order: string[] = [];
    const steps: Step<string[]>[] = [
      {
        title: 'Kafka',
        run: (seen, update) => {
          update('fetching 1 of 46');
          update('fetching 2 of 46');
          seen.push('kafka');
          return Promise.resolve();
        },
      },
      {
        title: 'Spark',
        skip: () => 'found on PATH',
        run: (seen) => Promise.resolve(void seen.push('spark')),
      },
    ];
    await runSteps(steps, order);
    expect(order).toEqual(['kafka']);
    expect(lines()).toEqual(['▸ Kafka: fetching 1 of 46', '✓ Kafka (time)', '↓ Spark: found on PATH']);
  });

  it('stops at the first step that fails, with its error', async () => {
    const steps: Step<null>[] = [
      { title: 'one', run: () => Promise.reject(new Error('no disk')) },
      { title: 'two', run: () => Promise.resolve() },
    ];
    await expect(runSteps(steps, null)).rejects.toThrow('no disk');
    expect(lines()).toEqual(['✗ one (time)']);
  });
});

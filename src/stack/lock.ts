import { setTimeout as sleep } from 'node:timers/promises';

export interface LockOptions {
  /** Called once when another process holds it. */
  onWait?: (() => void) | undefined;
  /** Gives the waiting up. */
  signal?: AbortSignal | undefined;
}

/**
 * Holds a lock between processes while `work` runs. The path need not exist (`<path>.lock` is made beside it); its
 * folder must. A holder that died is noticed after ten seconds.
 */
export async function exclusively<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const release = await acquire(path, options);
  try {
    return await work();
  } finally {
    // A lock that was lost (the machine slept for longer than it lives) is not there to be released.
    await release().catch(() => undefined);
  }
}

async function acquire(path: string, { onWait, signal }: LockOptions): Promise<() => Promise<void>> {
  const { default: lockfile } = await import('proper-lockfile');
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(path, {
        realpath: false,
        stale: 10_000,
        update: 2_000,
        // Its default throws from a timer.
        onCompromised: () => undefined,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    if (!waited) onWait?.();
    await sleep(200);
  }
}

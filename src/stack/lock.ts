import { pause } from '../core/deadline.ts';

export interface LockOptions {
  /** Called once if another process holds the lock. */
  onWait?: (() => void) | undefined;
  /** Aborts the wait. */
  signal?: AbortSignal | undefined;
}

/**
 * Holds a lock between processes while `work` runs. The folder of `path` must exist, the file need not (`<path>.lock` is
 * created beside it). If a holder dies, the lock is free after ten seconds.
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
    // If the machine slept for longer than a lock lives, the lock is lost and cannot be released.
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
        // The default handler throws from a timer.
        onCompromised: () => undefined,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    if (!waited) onWait?.();
    await pause(200, signal);
  }
}

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Fills a folder once, for all processes of this user. The folder appears whole or not at all: `fill` works in a
 * temporary folder beside it, which is renamed at the end. A second process waits for the first one's result; what an
 * interrupted install left behind is removed.
 *
 * @param fill puts the content into the folder that it is given; that folder's path changes afterwards
 * @param onWait called once when another process is installing the same thing
 */
export async function installOnce(
  directory: string,
  fill: (temporary: string) => Promise<void>,
  onWait?: () => void,
): Promise<void> {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  const name = basename(directory);
  await mkdir(parent, { recursive: true });
  const release = await exclusively(directory, onWait);
  try {
    if (existsSync(directory)) return;
    for (const entry of await readdir(parent)) {
      if (entry.startsWith(`.${name}.`)) await rm(join(parent, entry), { recursive: true, force: true });
    }
    const temporary = await mkdtemp(join(parent, `.${name}.`));
    try {
      await fill(temporary);
      await rename(temporary, directory);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await release();
  }
}

/**
 * Holds a lock between processes on a path that need not exist (`<path>.lock` is made). A holder that died is noticed
 * after ten seconds.
 *
 * @returns what releases it
 */
export async function exclusively(path: string, onWait?: () => void): Promise<() => Promise<void>> {
  const { default: lockfile } = await import('proper-lockfile');
  const options = { realpath: false, stale: 10_000, update: 2_000 };
  try {
    return await lockfile.lock(path, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
  }
  onWait?.();
  return lockfile.lock(path, {
    ...options,
    retries: { forever: true, minTimeout: 200, maxTimeout: 500, factor: 1.2 },
  });
}

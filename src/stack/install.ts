import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type LockOptions, exclusively } from './lock.ts';

/**
 * Fills a folder once for all processes of this user. `fill` writes to a temporary folder beside it, which is renamed at
 * the end, so the folder is complete or absent. A second process waits for the first one's result. The files of an
 * interrupted install are removed by the next one.
 *
 * @param fill writes the content to the given folder, whose path changes afterwards
 */
export async function installOnce(
  directory: string,
  fill: (temporary: string) => Promise<void>,
  options: LockOptions = {},
): Promise<void> {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await exclusively(
    directory,
    async () => {
      if (existsSync(directory)) return;
      const prefix = `.${basename(directory)}.`;
      for (const entry of await readdir(parent)) {
        if (entry.startsWith(prefix)) await rm(join(parent, entry), { recursive: true, force: true });
      }
      const temporary = await mkdtemp(join(parent, prefix));
      try {
        await fill(temporary);
        await rename(temporary, directory);
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        throw error;
      }
    },
    options,
  );
}

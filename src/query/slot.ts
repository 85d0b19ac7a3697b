/** The folder of one running query service: two of them on one machine never share one. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processExists } from '../core/process-exists.ts';
import { isMissing } from './partitions.ts';

export interface Slot {
  folder: string;
  /** Afterwards the next service may have it. */
  release(): Promise<void>;
}

const OWNER = 'pid';

/** The first folder of `0`, `1`, … that no running process has: a service that is started again finds its own. */
export async function takeSlot(parent: string): Promise<Slot> {
  for (let number = 0; ; number += 1) {
    const folder = join(parent, String(number));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (await take(join(folder, OWNER)))
      return { folder, release: () => rm(join(folder, OWNER), { force: true }) };
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = await ownerIn(file);
  if (owner === process.pid || (owner !== null && processExists(owner))) return false;
  await rm(file, { force: true });
  return take(file);
}

async function ownerIn(file: string): Promise<number | null> {
  try {
    const pid = Number((await readFile(file, 'utf8')).trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

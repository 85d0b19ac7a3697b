import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const MEGABYTE = 1_000_000;
const BAR = 20;

/** `12.3 MB` */
export function megabytes(size: number): string {
  return `${(size / MEGABYTE).toFixed(1)} MB`;
}

/** A bar of which this share is filled: `█████░░░░░`. */
export function barOf(share: number): string {
  const filled = Math.min(BAR, Math.round(share * BAR));
  return '█'.repeat(filled) + '░'.repeat(BAR - filled);
}

/** The size of all files in a folder that others are writing to, bytes. */
export async function sizeOfFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    sum += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return sum;
}

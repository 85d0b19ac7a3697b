import { rmSync } from 'node:fs';

/**
 * Removes a file, or a folder with what is in it, that is of no use any more. A failure is ignored: what is left harms
 * nothing, and must not change how an attempt ended.
 */
export function removeLeftover(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
  } catch {
    // The next owner, or the next attempt, tries again.
  }
}

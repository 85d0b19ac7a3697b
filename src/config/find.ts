import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The nearest `name` (a relative path) in a directory or one above it. */
export async function findUpward(directory: string, name: string): Promise<string | undefined> {
  let here = resolve(directory);
  for (;;) {
    const candidate = join(here, name);
    if (await exists(candidate)) return candidate;
    const parent = dirname(here);
    if (parent === here) return undefined;
    here = parent;
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

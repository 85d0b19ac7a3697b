import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const CONFIG_FILE = 'hippo.yaml';

/** The nearest `name` (a relative path) in a directory or one above it. */
export function findUpward(directory: string, name: string): string | undefined {
  let here = resolve(directory);
  for (;;) {
    const candidate = join(here, name);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(here);
    if (parent === here) return undefined;
    here = parent;
  }
}

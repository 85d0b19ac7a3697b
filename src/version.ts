import { readFileSync } from 'node:fs';
import { parsePlainJson } from './core/json.ts';

/** This package's root folder, from the sources (`src/`) as well as from the bundle (`dist/`). */
export const packageRoot: URL = findPackageRoot();

/** This package's version. */
export const version: string = (
  parsePlainJson(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }
).version;

function findPackageRoot(): URL {
  let folder = new URL('.', import.meta.url);
  for (;;) {
    try {
      const { name } = parsePlainJson(readFileSync(new URL('package.json', folder), 'utf8')) as {
        name?: string;
      };
      if (name === 'hippo-toolkit') return folder;
    } catch {
      // Not here: one folder up.
    }
    const parent = new URL('..', folder);
    if (parent.href === folder.href) throw new Error('hippo-toolkit: its own package.json was not found');
    folder = parent;
  }
}

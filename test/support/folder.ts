import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';

/** A new folder, for tests of the projects kafka and long. It goes, with the brokers in it, when vitest ends, interrupted or not. */
export function makeFolder(name: string): Promise<string> {
  return mkdtemp(join(inject('testFolder'), `${name}-`));
}

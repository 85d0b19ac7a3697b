/** The jars that Spark jobs need besides Spark's own: `stack.jars` of hippo.yaml, in the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../core/paths.ts';
import { exclusively } from './lock.ts';
import { fetchArtifacts } from './maven.ts';
import type { Artifact } from './pom.ts';

/** @param coordinates `org.postgresql:postgresql:42.7.8` @returns the jar's path, whether it is there or not */
export function jarPath(coordinates: string): string {
  return join(jarsFolder(), placeOf(artifactOf(coordinates)));
}

/** The coordinates whose jars must be fetched. */
export function missingJars(coordinates: readonly string[]): string[] {
  return coordinates.filter((each) => !existsSync(jarPath(each)));
}

/**
 * Fetches those jars that are missing, without what they need in turn. Safe to repeat, to interrupt and to run twice at once.
 *
 * @param update called with progress
 * @throws UserError if there is no Maven, ChildError if it fails
 */
export async function fetchJars(
  coordinates: readonly string[],
  update: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const folder = jarsFolder();
  await mkdir(folder, { recursive: true });
  const fetch = async (): Promise<void> => {
    const missing = missingJars(coordinates).map(artifactOf);
    if (missing.length === 0) return;
    await removeLeftovers(folder);
    const temporary = await mkdtemp(join(folder, LEFTOVER));
    try {
      const lib = await fetchArtifacts(temporary, {
        name: 'spark-jars',
        artifacts: missing.map((artifact) => ({ ...artifact, alone: true })),
        inFolders: true,
        what: `${missing.length === 1 ? 'A jar' : 'Some jars'} of stack.jars`,
        instead: ['or correct stack.jars in hippo.yaml'],
        update,
        signal,
      });
      for (const artifact of missing) {
        const place = placeOf(artifact);
        await mkdir(dirname(join(folder, place)), { recursive: true });
        await rename(join(lib, place), join(folder, place));
      }
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  };
  await exclusively(folder, fetch, { onWait: () => update('another hippo is fetching jars'), signal });
}

const LEFTOVER = '.fetch-';

async function removeLeftovers(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry.startsWith(LEFTOVER)) await rm(join(folder, entry), { recursive: true, force: true });
  }
}

function jarsFolder(): string {
  return join(cacheDirectory(), 'jars');
}

/** As in Maven's own repository. */
function placeOf({ group, artifact, version }: Artifact): string {
  return join(...group.split('.'), artifact, version, `${artifact}-${version}.jar`);
}

function artifactOf(coordinates: string): Artifact {
  const [group = '', artifact = '', version = ''] = coordinates.split(':');
  return { group, artifact, version };
}

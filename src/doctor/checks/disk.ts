import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PROJECT_STATE_DIRECTORY, cacheDirectory } from '../../core/paths.ts';
import { type Check, type Finding, error, ok, warning } from '../check.ts';
import type { Environment } from '../environment.ts';

const GIB = 2 ** 30;
/** Below this, jobs fail while they run; below {@link TIGHT}, a shuffle or the logs of a day may fill the disk. */
const FULL = GIB / 2;
const TIGHT = 2 * GIB;

interface Place {
  purpose: string;
  path: string;
}

/** Free space in the folders where the project, the cache and Spark write. */
export const disk: Check = {
  id: 'disk',
  title: 'Disk',
  category: 'machine',
  about: 'free space for the project, the cache and Spark',
  async run(environment) {
    const findings: Finding[] = [];
    const frees: number[] = [];
    for (const place of places(environment)) {
      const existing = await nearestExisting(place.path);
      const { bavail, bsize } = await statfs(existing);
      const free = bavail * bsize;
      frees.push(free);
      findings.push(await judge(place, existing, free));
    }
    return { summary: `${size(Math.min(...frees))} free`, findings };
  },
};

function places({ cwd, env, project }: Environment): Place[] {
  const list: Place[] = [];
  if (project.state === 'loaded') {
    list.push({ purpose: 'project', path: join(project.loaded.directory, PROJECT_STATE_DIRECTORY) });
  } else {
    list.push({ purpose: 'this folder', path: cwd });
  }
  list.push({ purpose: 'cache', path: env['HIPPO_CACHE'] ?? cacheDirectory() });
  const spark = env['SPARK_LOCAL_DIRS']?.split(',').filter((path) => path !== '') ?? [];
  for (const path of spark.length > 0 ? spark : [env['TMPDIR'] ?? tmpdir()])
    list.push({ purpose: 'Spark', path });
  return list;
}

async function judge({ purpose, path }: Place, existing: string, free: number): Promise<Finding> {
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return error(`${purpose}: ${existing} cannot be written to`, { commands: [`ls -ld ${existing}`] });
  const text = `${purpose}: ${size(free)} free in ${path}`;
  const remedy = { commands: [`du -xh -d 2 ${existing} | sort -h | tail`], text: 'Find what fills it:' };
  if (free < FULL) return error(text, remedy);
  if (free < TIGHT) return warning(text, remedy);
  return ok(text);
}

/** The folder itself, or the nearest existing folder above it, in which the first write would create it. */
async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).then(
    () => true,
    () => false,
  );
  return found || dirname(path) === path ? path : nearestExisting(dirname(path));
}

/** `12.3 GiB`, `410 MiB`. */
function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.floor(bytes / 2 ** 20)} MiB`;
}

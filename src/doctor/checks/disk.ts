import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type LogFile, listLogs } from '../../client/host/attempt-log.ts';
import { PROJECT_STATE_DIRECTORY, cacheDirectory } from '../../core/paths.ts';
import { formatSize } from '../../core/size.ts';
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

/** Free space in the folders where the project, the cache and Spark write, and what the logs of the project take of it. */
export const disk: Check = {
  id: 'disk',
  title: 'Disk',
  category: 'machine',
  about: 'free space for the project, the cache and Spark, and the size of the logs',
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
    findings.push(...(await logsOf(environment)));
    return { summary: `${formatSize(Math.min(...frees))} free`, findings };
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
  const text = `${purpose}: ${formatSize(free)} free in ${path}`;
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

/** The logs that this machine has of the project's jobs and services. */
async function logsOf({ project }: Environment): Promise<Finding[]> {
  if (project.state !== 'loaded') return [];
  const { directory, config } = project.loaded;
  const { attempts, services } = await listLogs(directory);
  const { max_size: most } = config.logs;
  const ofServices = services.length === 0 ? '' : `, ${formatSize(sizeOf(services))} of services`;
  const text = `logs: ${formatSize(sizeOf(attempts))} of ${attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`}${ofServices}`;
  if (sizeOf(attempts) <= most) return [ok(text)];
  return [
    warning(`${text}: more than logs.max_size, ${formatSize(most)}`, {
      commands: ['hippo run'],
      text: 'A running client removes the oldest within an hour, but not those of attempts that run:',
    }),
  ];
}

function sizeOf(logs: readonly LogFile[]): number {
  return logs.reduce((sum, { size }) => sum + size, 0);
}

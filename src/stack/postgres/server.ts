import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import getPort from 'get-port';
import type pg from 'pg';
import type { Millis } from '../../core/clock.ts';
import { pause, poll, pollStart } from '../../core/deadline.ts';
import { formatDuration } from '../../core/duration.ts';
import { isAlive, listProcesses } from '../../core/environment/index.ts';
import { ChildError, TimeoutError, UserError } from '../../core/errors.ts';
import { execa, spawnDetached } from '../../core/exec.ts';
import { isFree } from '../../core/free-port.ts';
import {
  type FoundPostgres,
  type PostgresFiles,
  dataWords,
  findPostgres,
  newSharedData,
  postgresFiles,
  readPostgresRecord,
  stopPostgres,
} from './found.ts';
import { POSTGRES_VERSION, findPostgresPrograms, installPostgres } from './programs.ts';
import { type ServerUser, isEnterable, makeEnterable, serverUser } from './server-user.ts';

/** How long a start may take at most, unless the caller says otherwise. */
const START_TIMEOUT = 300_000;
/** A server whose log has not grown for so long is not starting any more. While it recovers it writes a line each ten seconds. */
const START_QUIET = 60_000;
/** Another process can take the port between the check and the start; then another one is tried. */
const START_ATTEMPTS = 3;
/** The processes of a server that was killed end by themselves within milliseconds; until then a new one refuses to start. */
const LEFT_BEHIND_PAUSE = 100;
const LEFT_BEHIND_PATIENCE = 10_000;

export interface PostgresOptions {
  /** Its own folder: the password, the log, a record of the server, and `data/`. */
  directory: string;
  /** The superuser. */
  user?: string;
  /** Its password, for a folder without data. Default: a new one. */
  password?: string;
  /** The database that is made if it is missing. */
  database?: string;
  /** Settings to add, by PostgreSQL's own names. */
  settings?: Readonly<Record<string, string>>;
  /** Called with progress. */
  update?: (detail: string) => void;
  /** How long the start may take at most. Default: five minutes. */
  timeout?: Millis | undefined;
  /** Aborts the start; no process is left. */
  signal?: AbortSignal | undefined;
}

export interface RunningPostgres extends FoundPostgres {
  database: string;
  /** With the password: `postgres://hippo:…@127.0.0.1:5432/hippo`. */
  url: string;
  logFile: string;
}

type Account = Readonly<Record<'user' | 'password' | 'database', string>>;

/**
 * Starts a real PostgreSQL on loopback and waits until it takes statements. The process is a session of its own: it outlives
 * the caller. One that already runs in this folder is taken as it is. As root it runs as {@link serverUser}.
 *
 * @throws UserError where none can be fetched, or its password is lost; ChildError with the end of its log when it stops at
 * once; TimeoutError when its log does not grow any more, or the time is over
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { directory, update = () => undefined, signal, user = 'hippo', database = 'hippo' } = options;
  const files = postgresFiles(directory);
  const running = await findPostgres(directory);
  const data = running?.data ?? (await prepareData(files, { ...options, update, user }));
  const account = { user, database, password: await readPassword(files) };
  if (running !== null) {
    await untilReady(running, account, files, options);
    return { ...running, database, url: urlOf(running.port, account), logFile: files.log };
  }

  const programs = (await findPostgresPrograms()) ?? (await installPostgres(update, signal));
  const last = (await readPostgresRecord(directory))?.port;
  const wasKilled = await freeLockFile(data);
  if (wasKilled && last !== undefined) await untilFree(last, signal);
  const patience = performance.now() + LEFT_BEHIND_PATIENCE;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const preferred = attempt === 1 ? last : undefined;
    const isFitting = preferred !== undefined && (await isFree(preferred));
    const port = isFitting ? preferred : await getPort({ host: '127.0.0.1' });
    update(`starting on port ${port}`);
    const record = { version: POSTGRES_VERSION, port, data };
    await writeFile(files.record, `${JSON.stringify(record)}\n`);
    const pid = await spawnServer(programs, record, files, options.settings);
    try {
      await untilReady({ ...record, pid }, account, files, options);
      return { ...record, pid, database, url: urlOf(port, account), logFile: files.log };
    } catch (error) {
      await stopPostgres(directory);
      if (error instanceof LeftBehind && performance.now() < patience) {
        await pause(LEFT_BEHIND_PAUSE, signal);
        attempt -= 1;
      } else if (!(error instanceof PortTaken && attempt < START_ATTEMPTS)) throw error;
    }
  }
}

/** @returns the URL with the password, which is of characters that need no escape unless the caller gave one */
function urlOf(port: number, { user, password, database }: Account): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

async function readPassword({ password }: PostgresFiles): Promise<string> {
  try {
    return await readFile(password, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw lostPassword(`There is no ${password}.`);
  }
}

function lostPassword(why: string): UserError {
  return new UserError('the password of the local PostgreSQL is lost', {
    why,
    next: ['hippo down --purge    (removes its data, with those of Kafka)', 'then hippo up'],
  });
}

/** Makes the folder of the data, unless it is there. An interrupted attempt leaves nothing that counts. */
async function prepareData(
  files: PostgresFiles,
  options: PostgresOptions & { update: (detail: string) => void; user: string },
): Promise<string> {
  const { directory, update, signal } = options;
  const recorded = (await readPostgresRecord(directory))?.data;
  if (recorded !== undefined && existsSync(recorded)) return recorded;
  if (existsSync(files.data)) return files.data;
  const programs = (await findPostgresPrograms()) ?? (await installPostgres(update, signal));
  update('making its data folder');
  await mkdir(directory, { recursive: true });
  const as = serverUser();
  const data = await dataFolder(files, as);
  const draft = `${data}.new`;
  const passwordFile = `${draft}.password`;
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { mode: 0o700 });
    const password = options.password ?? randomBytes(24).toString('base64url');
    for (const file of [files.password, passwordFile]) await writePrivate(file, password);
    if (as !== null) for (const path of [draft, passwordFile]) await chown(path, as.uid, as.gid);
    await initialise(programs, { data: draft, user: options.user, passwordFile, as, signal });
    await rename(draft, data);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
  return data;
}

/** The server's user has to enter the folder of its data through all folders above. */
async function dataFolder({ data }: PostgresFiles, as: ServerUser | null): Promise<string> {
  if (as === null) return data;
  const here = dirname(data);
  await makeEnterable(here);
  if (await isEnterable(here)) return data;
  const shared = newSharedData();
  await mkdir(dirname(shared), { recursive: true, mode: 0o755 });
  return shared;
}

async function writePrivate(file: string, text: string): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  await chmod(file, 0o600);
}

async function initialise(
  programs: string,
  of: {
    data: string;
    user: string;
    passwordFile: string;
    as: ServerUser | null;
    signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { data, user, passwordFile, as, signal } = of;
  const locale = ['--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '-E', 'UTF8'];
  const access = ['-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const result = await execa(join(programs, 'bin', 'initdb'), [...locale, ...access, ...dataWords(data)], {
    ...(as ?? {}),
    // As the server's user, which may not enter the working directory.
    cwd: '/',
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!result.failed) return;
  throw new ChildError("PostgreSQL's data folder could not be made", {
    why: result.all.trimEnd().split('\n').slice(-3).join('\n') || result.shortMessage,
    next: ['set DATABASE_URL to a PostgreSQL that exists'],
  });
}

/**
 * A server that was killed leaves `postmaster.pid`. A new one refuses to start while a process has the id in its first line,
 * which may be any program by then. No process can have the id that is written instead; the rest of the file stays, by which
 * PostgreSQL finds out whether other processes of the killed server still use the data.
 *
 * @returns whether there was one
 */
async function freeLockFile(data: string): Promise<boolean> {
  const file = join(data, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const pid = Number(text.split('\n', 1)[0]);
  const other = (await listProcesses()).find((process) => process.pid === pid);
  if (other !== undefined && !mayUse(other.command, data))
    await writeFile(file, text.replace(/^.*/, String(NO_PROCESS)));
  return true;
}

/** Whether a command is that of a server, and not one of another folder's data: that of another project has its id by chance. */
function mayUse(command: string, data: string): boolean {
  if (!/^(\S*\/)?postgres( |$)/.test(command)) return false;
  return !/ -D /.test(command) || `${command} `.includes(` ${dataWords(data).join(' ')} `);
}

/** The processes of a server that was killed hold its port until they end. The variable of running clients names that port. */
async function untilFree(port: number, signal: AbortSignal | undefined): Promise<void> {
  await poll(() => isFree(port), { every: LEFT_BEHIND_PAUSE, millis: LEFT_BEHIND_PATIENCE, signal });
}

/** Above the largest id that Linux gives. */
const NO_PROCESS = 2 ** 22 + 1;

/** Only on loopback, and without a socket in /tmp. Small, as it shares the machine with Kafka and Spark. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '32MB',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

async function spawnServer(
  programs: string,
  { port, data }: { port: number; data: string },
  files: PostgresFiles,
  more: PostgresOptions['settings'] = {},
): Promise<number> {
  // The log of the previous start is kept, because it may say why that server ended.
  await rename(files.log, `${files.log}.1`).catch(() => undefined);
  const log = await open(files.log, 'w', 0o600);
  const settings = Object.entries({ ...SETTINGS, ...more }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  try {
    const args = [...settings, '-p', String(port), ...dataWords(data)];
    const server = spawnDetached(join(programs, 'bin', 'postgres'), args, {
      ...(serverUser() ?? {}),
      cwd: '/',
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(server, 'spawn');
    server.unref();
    return server.pid ?? Number.NaN;
  } finally {
    await log.close();
  }
}

class PortTaken extends ChildError {}
/** Processes of a killed server still use the data. */
class LeftBehind extends ChildError {}

async function untilReady(
  { pid, port }: { pid: number; port: number },
  account: Account,
  files: PostgresFiles,
  { timeout = START_TIMEOUT, signal }: PostgresOptions,
): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    if (await hasDatabase(port, account, files)) return true;
    if (await isAlive(pid)) return false;
    throw await whyItEnded(files);
  };
  const sign = async (): Promise<number> => (await stat(files.log).catch(() => undefined))?.size ?? 0;
  const outcome = await pollStart(isReady, { every: 100, millis: timeout, quiet: START_QUIET, sign, signal });
  if (outcome !== 'ready') {
    const waited = formatDuration(outcome === 'silent' ? START_QUIET : timeout);
    throw new TimeoutError(
      outcome === 'silent'
        ? `PostgreSQL is not ready, and its log has not grown for ${waited}`
        : `PostgreSQL was not ready within ${waited}`,
      { why: await endOfLog(files.log), next: [`look at ${files.log}`] },
    );
  }
  // Another process may be listening on the port while this server is about to fail.
  if (!(await isAlive(pid))) throw await whyItEnded(files);
}

/** A server that is still starting refuses connections, or answers that it is (57P03). */
const STARTING = new Set(['ECONNREFUSED', 'ECONNRESET', '57P03', 'EPIPE']);
const WRONG_PASSWORD = '28P01';

/** Makes the database if it is missing. @returns false while the server is still starting */
async function hasDatabase(port: number, account: Account, files: PostgresFiles): Promise<boolean> {
  const { default: postgres } = await import('pg');
  const { user, password, database } = account;
  const at = { host: '127.0.0.1', port, user, password, ssl: false, connectionTimeoutMillis: 5_000 };
  const client: pg.Client = new postgres.Client({ ...at, database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${postgres.escapeIdentifier(database)}`);
    return true;
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    if (STARTING.has(code) || /terminated unexpectedly|timeout/.test(message)) return false;
    if (code === WRONG_PASSWORD) throw lostPassword(`The server refuses the one in ${files.password}.`);
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function whyItEnded(files: PostgresFiles): Promise<ChildError> {
  const log = await readFile(files.log, 'utf8').catch(() => '');
  const details = { why: await endOfLog(files.log), next: [`look at ${files.log}`] };
  if (/could not (bind|create any TCP)|Address already in use/.test(log))
    return new PortTaken('PostgreSQL stopped at once: its port is taken', details);
  if (/pre-existing shared memory block|lock file .* already exists/.test(log))
    return new LeftBehind('PostgreSQL stopped at once: another server uses its data', details);
  return new ChildError('PostgreSQL stopped at once', details);
}

/** The end of a log: its last errors, else its last lines. */
async function endOfLog(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n');
  const errors = lines.filter((line) => /\b(ERROR|FATAL|PANIC|HINT)\b/.test(line));
  return (errors.length > 0 ? errors : lines)
    .slice(-4)
    .map((line) => line.trim().slice(0, 300))
    .join('\n');
}

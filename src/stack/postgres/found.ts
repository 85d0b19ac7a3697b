import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { newId } from '../../core/ids.ts';
import { isJsonObject, parsePlainJson } from '../../core/json.ts';
import { listProcesses, terminate } from '../../core/environment/index.ts';

/** A fast shutdown writes a checkpoint: about a second, more with much to write. */
const STOP_GRACE = 60_000;

/** The files of a PostgreSQL that hippo starts. */
export interface PostgresFiles {
  /** What is known of it, a {@link PostgresRecord}. */
  record: string;
  password: string;
  log: string;
  /** Where the data are, unless the record says otherwise. */
  data: string;
}

export interface PostgresRecord {
  version: string;
  port: number;
  /** The folder of its data. */
  data: string;
}

export interface FoundPostgres extends PostgresRecord {
  pid: number;
}

/** Where root's data are, if the server's user cannot enter the project. */
const SHARED_DATA = '/var/lib/hippo';

/** A new folder for data outside of the project. */
export function newSharedData(): string {
  return join(SHARED_DATA, `postgres-${newId()}`);
}

/** The folder of this server's data, if it is outside of the project. */
export async function sharedDataOf(directory: string): Promise<string | null> {
  const data = (await readPostgresRecord(directory))?.data;
  return data !== undefined && dirname(data) === SHARED_DATA ? data : null;
}

export function postgresFiles(directory: string): PostgresFiles {
  const root = resolve(directory);
  return {
    record: join(root, 'postgres.json'),
    password: join(root, 'password'),
    log: join(root, 'postgres.log'),
    data: join(root, 'data'),
  };
}

/** What the last start has noted; null if there was none, or its note is damaged. */
export async function readPostgresRecord(directory: string): Promise<PostgresRecord | null> {
  try {
    const read = parsePlainJson(await readFile(postgresFiles(directory).record, 'utf8'));
    if (!isJsonObject(read)) return null;
    const { version, port, data } = read;
    const isRecord = typeof version === 'string' && typeof port === 'number' && typeof data === 'string';
    return isRecord ? { version, port, data } : null;
  } catch {
    return null;
  }
}

/** The last words of the server's command line, by which its process is found. */
export function dataWords(data: string): readonly string[] {
  return ['-D', data];
}

/**
 * The server that runs with this folder's data, ready or not; null if there is none. It is found among the running processes,
 * not by `postmaster.pid`: pids are reused, and a file outlives a crash.
 */
export async function findPostgres(directory: string): Promise<FoundPostgres | null> {
  const record = await readPostgresRecord(directory);
  if (record === null) return null;
  const ending = ` ${dataWords(record.data).join(' ')}`;
  const found = (await listProcesses()).find(({ command }) => command.endsWith(ending));
  return found === undefined ? null : { ...record, pid: found.pid };
}

/**
 * Stops the server of this folder: SIGINT, which ends its connections and writes a checkpoint, then SIGKILL after a grace. Its
 * data stay. Safe to repeat.
 *
 * @returns `gone` if none ran
 */
export async function stopPostgres(directory: string): Promise<'gone' | 'stopped' | 'killed'> {
  const found = await findPostgres(directory);
  return found === null ? 'gone' : terminate(found.pid, STOP_GRACE, 'SIGINT');
}

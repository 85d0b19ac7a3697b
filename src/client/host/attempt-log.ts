import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Millis } from '../../core/clock.ts';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { fileSafe } from './file-names.ts';

const TAIL_BYTES = 4096;
const TAIL_LINES = 20;
const END_BYTES = 256 * 1024;

/** `.hippo/logs/<job>/<run key>.<attempt id>.log` in the project. */
export function attemptLogPath(
  directory: string,
  attempt: { job: string; key: string; attemptId: string },
): string {
  const { key, attemptId } = logName(attempt);
  return join(directory, ...FOLDER, fileSafe(attempt.job), `${key}.${attemptId}.log`);
}

const FOLDER = [PROJECT_STATE_DIRECTORY, 'logs'] as const;

/** What the name of a log says. The key is as it is in file names, and may be cut. */
export interface LogName {
  key: string;
  attemptId: string;
}

/** As in the name of the attempt's log. */
export function logName({ key, attemptId }: { key: string; attemptId: string }): LogName {
  return { key: fileSafe(key).slice(0, 150), attemptId: fileSafe(attemptId).slice(-90) };
}

/** @returns undefined where the name is not that of an attempt's log: services have logs in the same folder */
export function readLogName(path: string): LogName | undefined {
  const [, key, attemptId] = /^(.*)\.([^.]*-\d+-[^.]+)\.log$/s.exec(basename(path)) ?? [];
  return key === undefined || attemptId === undefined ? undefined : { key, attemptId };
}

/** A file in the folder of logs. */
export interface LogFile {
  path: string;
  /** Bytes. */
  size: number;
  /** When it was written to last. */
  at: Millis;
}

/** The logs of a project on this machine: of attempts, and of services. None is opened. */
export async function listLogs(directory: string): Promise<{ attempts: LogFile[]; services: LogFile[] }> {
  const found: { attempts: LogFile[]; services: LogFile[] } = { attempts: [], services: [] };
  const folder = join(directory, ...FOLDER);
  for (const owner of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, owner))) {
      const path = join(folder, owner, name);
      // Another client may have removed it.
      const info = await stat(path).catch(() => null);
      if (info?.isFile() !== true) continue;
      const list = readLogName(name) === undefined ? found.services : found.attempts;
      list.push({ path, size: info.size, at: info.mtimeMs });
    }
  }
  return found;
}

/** The names of the logs of a job's attempts. */
export async function logsOfJob(directory: string, job: string): Promise<string[]> {
  const folder = join(directory, ...FOLDER, fileSafe(job));
  return (await namesIn(folder)).map((name) => join(folder, name));
}

/** None where there is no such folder. */
function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Opens the log for the job's stdout and stderr, readable by its owner only: a job may print what is secret. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'a', 0o600);
}

/**
 * Writes a line of the client in a job's log. An error of the log is ignored, because the client's own log has the same
 * text.
 */
export function noteInLog(path: string, text: string): void {
  try {
    const log = openLog(path);
    writeSync(log, `hippo: ${text}\n`);
    closeSync(log);
  } catch {
    // The client's own log has the same text.
  }
}

/** The last lines of a log, at most 20 and 4 kB, without control characters; empty when there is nothing to read. */
export function tailOf(path: string): string {
  const { text, cut } = readEnd(path, TAIL_BYTES);
  return lastLines(text, cut);
}

/**
 * The beginning and the end of a log, at most 256 kB each: they have what spark-submit prints about its application.
 */
export function readEnds(path: string): string {
  const { text, cut } = readEnd(path, END_BYTES);
  return cut ? `${readPart(path, () => 0, END_BYTES).text}\n${text}` : text;
}

function readEnd(path: string, most: number): { text: string; cut: boolean } {
  const { text, size } = readPart(path, (bytes) => Math.max(0, bytes - most), most);
  return { text, cut: size > most };
}

/** @param from where to begin, by the file's size */
function readPart(
  path: string,
  from: (size: number) => number,
  most: number,
): { text: string; size: number } {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return { text: '', size: 0 };
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, most));
    const read = readSync(file, bytes, 0, bytes.length, from(size));
    return { text: bytes.subarray(0, read).toString('utf8'), size };
  } finally {
    closeSync(file);
  }
}

/** @param cut whether the text begins in the middle of a line */
export function lastLines(text: string, cut: boolean): string {
  const lines = text
    // A progress bar redraws its line: what counts is how it ended.
    .replace(/[^\n]*\r(?!\n)/g, '')
    // eslint-disable-next-line no-control-regex -- terminal sequences have no place in a message
    .replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f\ufffd]/g, '')
    .split('\n');
  if (cut && lines.length > 1) lines.shift();
  while (lines.at(-1)?.trim() === '') lines.pop();
  return lines.slice(-TAIL_LINES).join('\n').trim();
}

import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  const name = `${fileSafe(attempt.key).slice(0, 150)}.${fileSafe(attempt.attemptId).slice(-90)}.log`;
  return join(directory, PROJECT_STATE_DIRECTORY, 'logs', fileSafe(attempt.job), name);
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

import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { processExists } from '../process-exists.ts';
import { poll } from '../deadline.ts';

export interface ProcessInfo {
  pid: number;
  /** The words of its command line, joined by blanks. */
  command: string;
}

/** All processes whose command line is readable, from /proc if it exists, else from `ps`. */
export async function listProcesses(): Promise<ProcessInfo[]> {
  const entries = await readdir('/proc').catch(() => []);
  const ids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  if (ids.length > 0) return (await Promise.all(ids.map(ofProc))).filter(({ command }) => command !== '');
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return parseProcesses(stdout);
}

/** The lines of `ps -o pid=,args=`. */
export function parseProcesses(lines: string): ProcessInfo[] {
  return lines.split('\n').flatMap((line) => {
    const match = /^\s*(\d+) (.*\S)\s*$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined
      ? []
      : [{ pid: Number(match[1]), command: match[2] }];
  });
}

/** A process that has ended, or is a zombie, has no command line. */
async function ofProc(pid: number): Promise<ProcessInfo> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return { pid, command: words.replaceAll('\0', ' ').trim() };
}

/** Whether a process with this id exists. A zombie counts as ended, because it holds no port and no file. */
export async function isAlive(pid: number): Promise<boolean> {
  if (!processExists(pid)) return false;
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = parseStat(status)?.state;
  return state !== 'Z' && state !== 'X';
}

/**
 * Sends a signal, and SIGKILL if the process still exists after `grace` milliseconds.
 *
 * @param first the signal that asks it to end
 * @returns how it ended; `gone` if there was no such process
 */
export async function terminate(
  pid: number,
  grace: number,
  first: NodeJS.Signals = 'SIGTERM',
): Promise<'gone' | 'stopped' | 'killed'> {
  if (!signal(pid, first)) return 'gone';
  if (await hasEnded(pid, grace)) return 'stopped';
  signal(pid, 'SIGKILL');
  await hasEnded(pid, 10_000);
  return 'killed';
}

/** Waits until the process has ended, for at most `patience` milliseconds. */
function hasEnded(pid: number, patience: number): Promise<boolean> {
  return poll(async () => !(await isAlive(pid)), { every: 50, millis: patience });
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The fields of proc_pid_stat(5) that we need. The command in parentheses may hold spaces and parentheses itself. */
export function parseStat(text: string): { state: string; group: number; startedAt: string } | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startedAt = fields[19];
  if (state === undefined || group === undefined || startedAt === undefined) return null;
  return { state, group: Number(group), startedAt };
}

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Whether a process with this id exists (a zombie counts as gone: it holds nothing any more). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/^\d+ \(.*\) [ZX]/s.test(status);
}

/** The words of a process's command line joined by blanks; empty when it is gone or not ours to see. */
export async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // Systems without /proc.
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(
      () => ({
        stdout: '',
      }),
    );
    return stdout.trim();
  }
}

/**
 * Sends SIGTERM, and SIGKILL to what is still there after `grace` milliseconds.
 *
 * @returns how it ended; `gone` when there was no such process
 */
export async function terminate(pid: number, grace: number): Promise<'gone' | 'stopped' | 'killed'> {
  if (!signal(pid, 'SIGTERM')) return 'gone';
  if (await hasEnded(pid, grace)) return 'stopped';
  signal(pid, 'SIGKILL');
  await hasEnded(pid, 10_000);
  return 'killed';
}

/** Waits until the process is gone, for at most `patience` milliseconds. */
export async function hasEnded(pid: number, patience: number): Promise<boolean> {
  const deadline = Date.now() + patience;
  while (await isAlive(pid)) {
    if (Date.now() >= deadline) return false;
    await sleep(50);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

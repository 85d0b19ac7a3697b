/**
 * Process groups, as POSIX has them: all processes of one attempt of a job.
 *
 * A group is named by the pid of its leader. Where there is /proc (Linux), zombies do not count as alive, and processes
 * that left the group are still found by what their environment says.
 */
import { readFile } from 'node:fs/promises';
import { readFileSync, readdirSync } from 'node:fs';
import { pause, poll } from '../../core/deadline.ts';
import { parseStat } from '../../core/environment/index.ts';

const PROC = '/proc';
const POLL = 25;
/** How long the kernel may take to end what got a SIGKILL: a process in uninterruptible sleep takes its time. */
const KILL_CONFIRMATION = 5_000;

export type StopSignal = 'SIGTERM' | 'SIGKILL';

/** @returns false when there is no such group any more */
export function signalGroup(leader: number, signal: StopSignal): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process of the group is still at work. */
export function groupIsAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch {
    return false;
  }
  const members = process.platform === 'linux' ? membersOf(leader) : null;
  return members === null || members.length > 0;
}

/**
 * Ends a group: SIGTERM, after `grace` milliseconds SIGKILL, and waits for the end.
 *
 * @returns whether the group is gone
 */
export async function endGroup(leader: number, grace: number): Promise<boolean> {
  if (signalGroup(leader, 'SIGTERM') && (await gone(leader, grace))) return true;
  signalGroup(leader, 'SIGKILL');
  return gone(leader, KILL_CONFIRMATION);
}

function gone(leader: number, within: number): Promise<boolean> {
  return poll(() => !groupIsAlive(leader), { every: POLL, millis: within });
}

/** The living members of a group; null without /proc. */
function membersOf(leader: number): number[] | null {
  try {
    return readdirSync(PROC)
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const stat = parseStat(readQuietly(`${PROC}/${pid}/stat`));
        return stat !== null && stat.group === leader && stat.state !== 'Z' && stat.state !== 'X';
      })
      .map(Number);
  } catch {
    return null;
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Tells one process from a later one with the same pid; null when it is gone or the platform does not say. */
export function startOf(pid: number): string | null {
  return parseStat(readQuietly(`${PROC}/${pid}/stat`))?.startedAt ?? null;
}

export interface TaggedProcess {
  pid: number;
  group: number;
  environment: Readonly<Record<string, string>>;
}

/**
 * The living processes whose environment has all of `tags`. Needs /proc: elsewhere there are none to be found.
 * This is the environment at the start of a process; later changes are not seen.
 */
export async function processesTagged(tags: Readonly<Record<string, string>>): Promise<TaggedProcess[]> {
  const found = await Promise.all(processIds().map((pid) => tagged(pid, tags)));
  return found.filter((process) => process !== null);
}

/** SIGKILL to every process whose environment has all of `tags`, without a wait: for a process that is about to exit. */
export function killTagged(tags: Readonly<Record<string, string>>): void {
  for (const pid of processIds()) {
    if (!hasTags(readQuietly(`${PROC}/${pid}/environ`).split('\0'), tags)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function processIds(): string[] {
  try {
    return readdirSync(PROC).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  } catch {
    return [];
  }
}

function hasTags(environment: readonly string[], tags: Readonly<Record<string, string>>): boolean {
  return Object.entries(tags).every(([name, value]) => environment.includes(`${name}=${value}`));
}

async function tagged(pid: string, tags: Readonly<Record<string, string>>): Promise<TaggedProcess | null> {
  const entries = (await environmentOf(pid)).split('\0');
  if (!hasTags(entries, tags)) return null;
  const stat = parseStat(await readFile(`${PROC}/${pid}/stat`, 'latin1').catch(() => ''));
  if (stat === null || stat.state === 'Z') return null;
  const environment = Object.fromEntries(
    entries
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  return { pid: Number(pid), group: stat.group, environment };
}

/** A process that is being replaced by another program (execve) has no environment for a moment; zombies never have one. */
async function environmentOf(pid: string): Promise<string> {
  for (let tries = 0; tries < 3; tries += 1) {
    const text = await readFile(`${PROC}/${pid}/environ`, 'utf8').catch(() => null);
    if (text === null) break;
    if (text !== '') return text;
    await pause(3);
  }
  return '';
}

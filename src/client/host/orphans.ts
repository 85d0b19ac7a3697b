/**
 * Finds and ends the processes that an earlier owner of this hippo left running on this machine.
 *
 * On Linux the environment of a process names the hippo and the cluster that started it. Elsewhere the files
 * `.hippo/attempts/<attempt id>.json` of the project name the process groups that were started.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from '../../core/exec.ts';
import { isJsonObject, parsePlainJson } from '../../core/json.ts';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { attemptFileName } from './file-names.ts';
import { removeLeftover } from './leftovers.ts';
import { endTagged } from './process.ts';
import { endGroup, groupIsAlive, startOf } from './process-group.ts';
import { ATTEMPT_TAG, OWNER_TAG, isLiveService } from './tags.ts';

/** What `.hippo/attempts/<attempt id>.json` says. */
export interface AttemptRecord {
  attemptId: string;
  owner: string;
  pid: number;
  /** What tells this process from a later one with the same pid; null where the platform does not say. */
  startedAt: string | null;
}

export class AttemptFiles {
  readonly #folder: string;

  constructor(directory: string) {
    this.#folder = join(directory, PROJECT_STATE_DIRECTORY, 'attempts');
  }

  async write(record: Omit<AttemptRecord, 'startedAt'>): Promise<void> {
    const startedAt = await processStart(record.pid);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.#path(record.attemptId), JSON.stringify({ ...record, startedAt }), { mode: 0o600 });
  }

  remove(attemptId: string): void {
    removeLeftover(this.#path(attemptId));
  }

  list(): AttemptRecord[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    return names.map((name) => readRecord(join(this.#folder, name))).filter((record) => record !== null);
  }

  #path(attemptId: string): string {
    return join(this.#folder, attemptFileName(attemptId));
  }
}

/**
 * Ends the processes that earlier owners left, except those of the attempts in `spare`.
 *
 * @returns how many processes (Linux) or process groups (elsewhere) there were
 */
export async function endOrphans(
  owner: string,
  files: AttemptFiles,
  spare: readonly string[],
  grace: number,
): Promise<number> {
  const spared = (attemptId: string | undefined): boolean =>
    attemptId !== undefined && spare.includes(attemptId);
  let ended = await endTagged(
    { [OWNER_TAG]: owner },
    grace,
    (environment) => spared(environment[ATTEMPT_TAG]) || isLiveService(environment),
  );
  for (const record of files.list()) {
    if (record.owner !== owner || spared(record.attemptId)) continue;
    if (groupIsAlive(record.pid) && (await processStart(record.pid)) === record.startedAt) {
      ended += 1;
      await endGroup(record.pid, grace);
    }
    files.remove(record.attemptId);
  }
  return ended;
}

/** When a process began, as text in the platform's own form; null when it is gone. */
async function processStart(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return startOf(pid);
  const { stdout } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], { reject: false });
  return stdout.trim() === '' ? null : stdout.trim();
}

function readRecord(path: string): AttemptRecord | null {
  try {
    const value = parsePlainJson(readFileSync(path, 'utf8'));
    if (!isJsonObject(value)) return null;
    const { attemptId, owner, pid, startedAt } = value;
    if (typeof attemptId !== 'string' || typeof owner !== 'string' || !Number.isSafeInteger(pid)) return null;
    return {
      attemptId,
      owner,
      pid: pid as number,
      startedAt: typeof startedAt === 'string' ? startedAt : null,
    };
  } catch {
    return null;
  }
}

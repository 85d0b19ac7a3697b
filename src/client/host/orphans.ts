/**
 * Finds and ends the processes that an earlier owner of this hippo left running on this machine.
 *
 * On Linux the environment of a process names the hippo and the cluster that started it. Elsewhere the files
 * `.hippo/attempts/<attempt id>.json` of the project name the process groups that were started.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from '../../core/exec.ts';
import { isJsonObject, parsePlainJson } from '../../core/json.ts';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { processExists } from '../../core/process-exists.ts';
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

/** `<attempt id>.json.<pid of its writer>.draft`: on its way to become a record. */
const DRAFT = /\.(\d+)\.draft$/;

export class AttemptFiles {
  readonly #folder: string;

  constructor(directory: string) {
    this.#folder = join(directory, PROJECT_STATE_DIRECTORY, 'attempts');
  }

  /** Writes the whole record or none: the client may be killed at any time. */
  async write(record: Omit<AttemptRecord, 'startedAt'>): Promise<void> {
    const startedAt = await processStart(record.pid);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(record.attemptId);
    const draft = `${path}.${process.pid}.draft`;
    writeFileSync(draft, JSON.stringify({ ...record, startedAt }), { mode: 0o600 });
    renameSync(draft, path);
  }

  remove(attemptId: string): void {
    removeLeftover(this.#path(attemptId));
  }

  list(): AttemptRecord[] {
    return this.#names()
      .filter((name) => !DRAFT.test(name))
      .map((name) => readRecord(join(this.#folder, name)))
      .filter((record) => record !== null);
  }

  /** Removes the drafts of clients that were killed while they wrote. */
  removeDrafts(): void {
    for (const name of this.#names()) {
      const writer = DRAFT.exec(name)?.[1];
      if (writer !== undefined && !processExists(Number(writer))) removeLeftover(join(this.#folder, name));
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch {
      return [];
    }
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
  files.removeDrafts();
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

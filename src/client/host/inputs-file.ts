/** `.hippo/inputs/<owner>/<attempt id>.json`: what a run has received, for its job to read. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { attemptFileName, fileSafe } from './file-names.ts';
import { removeLeftover } from './leftovers.ts';

/**
 * Linux accepts no argument and no variable of more than 128 KiB, and counts both towards one limit. So `$HIPPO_INPUTS`
 * stays well below it, and `$HIPPO_INPUTS_FILE` has the same JSON at any size.
 */
export const MAX_INPUTS_VARIABLE = 64 * 1024;

export class InputsFiles {
  readonly #folder: string;

  /**
   * @param directory the project
   * @param owner names the hippo: with profiles, clients of several hippos may run in one project
   */
  constructor(directory: string, owner: string) {
    this.#folder = join(directory, PROJECT_STATE_DIRECTORY, 'inputs', fileSafe(owner));
  }

  path(attemptId: string): string {
    return join(this.#folder, attemptFileName(attemptId));
  }

  /** @throws Error when the file cannot be written */
  write(attemptId: string, json: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.path(attemptId), json, { mode: 0o600 });
  }

  remove(attemptId: string): void {
    removeLeftover(this.path(attemptId));
  }

  /** Removes the files of clients of this hippo that were killed; the attempts in `running` keep theirs. */
  removeOthers(running: readonly string[]): void {
    const kept = new Set(running.map((attemptId) => attemptFileName(attemptId)));
    let names: string[] = [];
    try {
      names = readdirSync(this.#folder);
    } catch {
      // No attempt has been made in this project.
    }
    for (const name of names) if (!kept.has(name)) removeLeftover(join(this.#folder, name));
  }
}

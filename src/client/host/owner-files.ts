import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { attemptFileName, fileSafe } from './file-names.ts';
import { removeLeftover } from './leftovers.ts';

/** `.hippo/<kind>/<owner>/<attempt id>.json`: files that an attempt needs while it runs, and that go with it. */
export class OwnerFiles {
  readonly #folder: string;

  /**
   * @param directory the project
   * @param owner names the hippo: with profiles, clients of several hippos may run in one project
   */
  constructor(directory: string, kind: 'inputs' | 'results' | 'models', owner: string) {
    this.#folder = join(directory, PROJECT_STATE_DIRECTORY, kind, fileSafe(owner));
  }

  path(attemptId: string): string {
    return join(this.#folder, attemptFileName(attemptId));
  }

  /** @throws Error when the folder cannot be made */
  makeFolder(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
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

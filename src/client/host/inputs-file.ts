/** What a run has received, for its job to read. */
import { writeFileSync } from 'node:fs';
import { OwnerFiles } from './owner-files.ts';

/**
 * Linux accepts no argument and no variable of more than 128 KiB, and counts both towards one limit. So `$HIPPO_INPUTS`
 * stays well below it, and `$HIPPO_INPUTS_FILE` has the same JSON at any size.
 */
export const MAX_INPUTS_VARIABLE = 64 * 1024;

export class InputsFiles extends OwnerFiles {
  /** @param owner see {@link OwnerFiles} */
  constructor(directory: string, owner: string) {
    super(directory, 'inputs', owner);
  }

  /** @throws Error when the file cannot be written */
  write(attemptId: string, json: string): void {
    this.makeFolder();
    writeFileSync(this.path(attemptId), json, { mode: 0o600 });
  }
}

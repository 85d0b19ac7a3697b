import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../core/errors.ts';
import type { ProjectFile } from './render.ts';

/**
 * Whether the folder exists and is empty.
 *
 * @throws UserError if it is a file or a folder that is not empty
 */
export async function isEmptyFolder(directory: string): Promise<boolean> {
  const found = await stat(directory).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isDirectory()) {
    throw new UserError(`${directory} is a file`, { next: ['choose another folder: --directory DIR'] });
  }
  const entries = await readdir(directory);
  if (entries.length === 0) return true;
  const some = entries.sort().slice(0, 3).join(', ');
  throw new UserError(`${directory} is not empty`, {
    why: `It holds ${some}${entries.length > 3 ? ` and ${entries.length - 3} more` : ''}. Nothing of yours is overwritten.`,
    next: ['choose another name, or another folder: --directory DIR'],
  });
}

/**
 * Writes the whole project or nothing: the files go to a temporary folder, which is then renamed.
 *
 * @param directory missing or empty; an empty one stays the same folder, because it may be a shell's working directory, or a
 *   mounted volume: so the temporary folder is inside it
 * @throws UserError as {@link isEmptyFolder}, or if the folder cannot be written
 */
export async function writeProject(directory: string, files: readonly ProjectFile[]): Promise<void> {
  const exists = await isEmptyFolder(directory);
  let temporary: string | undefined;
  try {
    if (!exists) await mkdir(dirname(directory), { recursive: true });
    temporary = await mkdtemp(
      exists ? join(directory, '.new.') : join(dirname(directory), `.${basename(directory)}.`),
    );
    const project = join(temporary, 'project');
    for (const file of files) {
      const path = join(project, file.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.content, { mode: file.mode });
    }
    if (exists)
      for (const entry of await readdir(project)) await rename(join(project, entry), join(directory, entry));
    else await rename(project, directory);
  } catch (error) {
    throw new UserError(`cannot write ${directory}`, {
      why: (error as Error).message,
      next: ['choose another folder: --directory DIR'],
      cause: error,
    });
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

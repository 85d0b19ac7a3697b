import { chmod, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The user and group that a server's process gets. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** Of `nobody`, which every Linux has. */
const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 };
const ENTER = 0o001;

/** PostgreSQL refuses to run as root: then it runs as nobody. Null: as the user of this process. */
export function serverUser(): ServerUser | null {
  return process.getuid?.() === 0 ? NOBODY : null;
}

/** Whether nobody may enter this folder, and each one above it. A folder that does not exist yet can be made enterable. */
export async function isEnterable(folder: string): Promise<boolean> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && (found.mode & ENTER) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** Lets other users enter a folder, without letting them list it. */
export async function makeEnterable(folder: string): Promise<void> {
  await chmod(folder, ((await stat(folder)).mode & 0o7777) | ENTER);
}

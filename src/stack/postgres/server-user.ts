import { chmod, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The user and group that a server's process gets. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** The user without rights that every Linux has. */
const WITHOUT_RIGHTS: ServerUser = { uid: 65_534, gid: 65_534 };
const ENTER = 0o001;

/** PostgreSQL refuses to run as root: then it runs as the user 65534. Null: as the user of this process. */
export function serverUser(): ServerUser | null {
  return process.getuid?.() === 0 ? WITHOUT_RIGHTS : null;
}

/** Whether the user 65534 may enter this folder, and each one above it. A folder that does not exist yet can be made enterable. */
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

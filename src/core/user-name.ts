import { userInfo } from 'node:os';

/** The user that this process runs as. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return String(process.getuid?.() ?? '');
  }
}

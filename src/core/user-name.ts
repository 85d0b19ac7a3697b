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

/** The user that Hadoop's programs give where nothing is said. */
export function hadoopUser(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['HADOOP_USER_NAME'] ?? '';
  return named === '' ? userName() : named;
}

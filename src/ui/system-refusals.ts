import { UserError } from '../core/errors.ts';
import { cacheDirectory } from '../core/paths.ts';
import { userName } from '../core/user-name.ts';

/** What the machine refuses, and a person can change. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on device',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open',
};

/** @returns undefined where it is nothing of that kind */
export function refusedBySystem(thrown: unknown): UserError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code = '', path, syscall } = thrown as NodeJS.ErrnoException;
  const refusal = REFUSALS[code];
  if (refusal === undefined || path === undefined) return undefined;
  const cache = cacheDirectory();
  return new UserError(`${path} cannot be used: ${refusal}`, {
    why: `${syscall ?? 'a system call'} failed with ${code}, as user ${userName()}.`,
    next: path.startsWith(cache) || cache.startsWith(path) ? ['HIPPO_CACHE=FOLDER hippo …'] : [],
    cause: thrown,
  });
}

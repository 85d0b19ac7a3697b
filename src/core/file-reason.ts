/** Why a file cannot be used, in words. */
import { messageOf } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'this user has no permission (EACCES)',
  EPERM: 'this user has no permission (EPERM)',
  ENOSPC: 'no space is left on the device',
  EROFS: 'its file system can only be read',
};

/** Node writes `ENOENT: no such file or directory, open '/data/x'`: a code, its text, the call of the system, and the path. */
const OF_NODE = /^(E[A-Z0-9]+): (.+), [a-z]+(?: '.*')?$/s;

/** What failed, without the path: the sentence around it says that. */
export function fileReason(error: unknown): string {
  const message = messageOf(error);
  const [, code = '', text = ''] = OF_NODE.exec(message) ?? [];
  return REASONS[code] ?? (code === '' ? message : `${text} (${code})`);
}

import { readFileSync } from 'node:fs';
import { decodeText } from '../core/encoding.ts';
import { UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';

/**
 * The text of a file that hippo.yaml names, without a byte order mark: it would become part of a password.
 *
 * @param key of hippo.yaml, e.g. `kafka.tls.ca_file`
 * @throws UserError naming the file and the key
 */
export function readSettingFile(file: string, key: string): string {
  try {
    return decodeText(readFileSync(file), true);
  } catch (error) {
    throw unusableFile(file, key, { problem: 'cannot be read', why: fileReason(error), cause: error });
  }
}

interface FileProblem {
  /** Reads on after "the file of kafka.tls.ca_file". */
  problem: string;
  why?: string;
  cause?: unknown;
}

export function unusableFile(file: string, key: string, { problem, why, cause }: FileProblem): UserError {
  return new UserError(`the file of ${key} ${problem}`, {
    why,
    next: [`check ${key} in hippo.yaml`],
    place: { file, key },
    cause,
  });
}

import { readFileSync, rmSync, statSync } from 'node:fs';
import { type JsonObject, isJsonObject } from '../../core/json.ts';
import { decodeText } from '../../core/encoding.ts';
import { messageOf } from '../../core/errors.ts';

/** A finish message is an event, not a data channel. */
export const MAX_RESULT_BYTES = 64 * 1024;

export type ResultFile = { ok: true; result: JsonObject | null } | { ok: false; why: string };

/** Takes what a job has written into `$HIPPO_RESULT_FILE`: a JSON object of at most 64 kB, or nothing. Removes the file. */
export function takeResult(path: string): ResultFile {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return { ok: true, result: null };
    if (size > MAX_RESULT_BYTES)
      return { ok: false, why: `it has ${size} bytes; at most ${MAX_RESULT_BYTES} are allowed` };
    const text = decodeText(readFileSync(path));
    if (text.trim() === '') return { ok: true, result: null };
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? { ok: true, result: value } : { ok: false, why: 'it is not a JSON object' };
  } catch (error) {
    return { ok: false, why: messageOf(error) };
  } finally {
    // Whatever the job has put there, a folder included.
    rmSync(path, { force: true, recursive: true });
  }
}

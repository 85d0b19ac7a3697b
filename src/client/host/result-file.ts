import { readFileSync, statSync } from 'node:fs';
import { type JsonObject, isDeeperThan, isJsonObject, parseJson } from '../../core/json.ts';
import { decodeText } from '../../core/encoding.ts';
import { messageOf } from '../../core/errors.ts';
import { removeLeftover } from './leftovers.ts';

/** A finish message is an event, not a data channel. */
export const MAX_RESULT_BYTES = 64 * 1024;
/** A finish message that is nested more than 64 levels deep is rejected by all that read it. */
const MAX_RESULT_DEPTH = 32;

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
    const value = parseJson(text);
    if (!isJsonObject(value)) return { ok: false, why: 'it is not a JSON object' };
    if (isDeeperThan(MAX_RESULT_DEPTH, value))
      return { ok: false, why: `it is nested more than ${MAX_RESULT_DEPTH} levels deep` };
    return { ok: true, result: value };
  } catch (error) {
    return { ok: false, why: messageOf(error) };
  } finally {
    // The job may have put a folder there.
    removeLeftover(path);
  }
}

/** The value of a record as filters and formats see it: parsed JSON, or text. */
import type { Json } from '../core/json.ts';

let last: { bytes: Buffer; json: Json } | undefined;

/**
 * Parses a value as JSON. A value that is not JSON is its text; a tombstone is null. The last value is remembered: a
 * filter and a format that ask for the same bytes parse them once.
 */
export function jsonValue(value: Buffer | null): Json {
  if (value === null) return null;
  if (last?.bytes !== value) last = { bytes: value, json: parse(value.toString()) };
  return last.json;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

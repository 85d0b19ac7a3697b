import type { Json } from '../core/json.ts';

let last: { bytes: Buffer; json: Json } | undefined;

/**
 * A value as JSON, or its text where it is none; null for a tombstone. Asked again for the same bytes, as a filter and
 * a format do, it gives the same object.
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

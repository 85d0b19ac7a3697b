import type { Json } from '../core/json.ts';

/** A value as JSON, or its text where it is none; null for a tombstone. */
export function jsonValue(value: Buffer | null): Json {
  if (value === null) return null;
  const text = value.toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

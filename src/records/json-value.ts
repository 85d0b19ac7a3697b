/** The value of a record as filters and formats see it: parsed JSON, or text. */
import { type Json, parseJson, parseNative } from '../core/json.ts';

/** The value that was asked for last, and what has been made of it. */
let last: { bytes: Buffer; json?: Json; native?: unknown } | undefined;

/**
 * Parses a value as JSON. A value that is not JSON is its text; a tombstone is null. The last value is remembered: a
 * filter and a format that ask for the same bytes parse them once.
 */
export function jsonValue(value: Buffer | null): Json {
  if (value === null) return null;
  if (last?.bytes !== value) last = { bytes: value };
  return (last.json ??= jsonOrText(value));
}

function jsonOrText(value: Buffer): Json {
  const text = value.toString();
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** {@link jsonValue} for code that counts: whole numbers beyond 2^53 are bigints. */
export function nativeValue(value: Buffer | null): unknown {
  if (value === null) return null;
  if (last?.bytes !== value) last = { bytes: value };
  if (last.native === undefined) {
    const text = value.toString();
    try {
      const { value: native, needsDigits } = parseNative(text);
      last.native = native;
      if (!needsDigits) last.json = native as Json;
    } catch {
      last.native = last.json = text;
    }
  }
  return last.native;
}

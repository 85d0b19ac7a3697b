import { compactDate, compactMillis, looksLikeDate } from '../core/compact-date.ts';
import { type Json, JsonNumber, type JsonObject, nativeOf, numberOf } from '../core/json.ts';
import { MAX_NAME_LENGTH, MAX_NOTE_LENGTH, Refusal, typeName } from './decode.ts';

/** Readers of single fields: the value, or a {@link Refusal} that names the key. */

/** The year 9999. A larger value is not in seconds, most likely in milliseconds. */
const LAST_SECOND = 253_402_300_799;

/**
 * A name, or a partition's value: it may be used in an argument, an environment variable, a file name and a terminal. None
 * of these accepts control characters, and argv and UTF-8 files accept neither NUL nor half of a surrogate pair.
 */
export function name(value: Json | undefined, key: string): string {
  const found = text(value, key);
  const problem = nameProblem(found);
  if (problem !== undefined) throw new Refusal(problem, key);
  return found;
}

/** @returns why the text cannot be such a name or value; undefined: it can */
export function nameProblem(found: string): string | undefined {
  if (found.trim() === '') return 'must not be blank';
  if (found.length > MAX_NAME_LENGTH) return `must have at most ${MAX_NAME_LENGTH} characters`;
  if (/\p{Cc}/u.test(found)) return 'must have no control characters';
  return found.isWellFormed() ? undefined : 'must be well-formed Unicode';
}

export function text(value: Json | undefined, key: string): string {
  if (typeof value !== 'string') throw mismatch('text', value, key);
  return value;
}

export function finiteNumber(value: Json | undefined, key: string): number {
  const number = numberOf(value);
  if (number === undefined) throw mismatch('a number', value, key);
  if (!Number.isFinite(number)) throw new Refusal('is too large a number', key);
  return number;
}

export function integer(value: Json | undefined, key: string): number {
  const number = numberOf(value);
  if (number === undefined || !Number.isSafeInteger(number)) throw mismatch('a whole number', value, key);
  return number;
}

export function boolean(value: Json | undefined, key: string): boolean {
  if (typeof value !== 'boolean') throw mismatch('true or false', value, key);
  return value;
}

/**
 * Epoch seconds, as a number or as its digits. Digits that are written like a date (`20170428`) are that date in UTC: as
 * seconds they would be in the year 1970, or after 7990.
 */
export function seconds(value: Json | undefined, key: string): number {
  const native = nativeOf(value);
  const digits = typeof value === 'string' ? value : String(native ?? '');
  if (looksLikeDate(digits)) {
    const date = compactDate(digits);
    if (date === undefined)
      throw new Refusal('must be epoch seconds or a date; no calendar has this one', key);
    return compactMillis(date) / 1000;
  }
  const found = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : native;
  if (found === undefined || found < 0) throw mismatch('epoch seconds', value, key);
  if (found > LAST_SECOND) throw new Refusal(`must be epoch seconds, not ${unitOf(Number(found))}`, key);
  return Number(found);
}

/** What {@link seconds} reads as this number: a number, or text with a fraction where the digits alone would be a date. */
export function writeSeconds(value: number): number | string {
  return looksLikeDate(String(value)) ? `${value}.0` : value;
}

/**
 * Takes an optional field out of `extra` if it has the known shape. Otherwise it stays there: another service may use the
 * same name for something else, and it must survive a round trip.
 */
export function take<T extends Json>(
  extra: JsonObject,
  key: string,
  is: (value: Json) => value is T,
): T | undefined {
  const value = extra[key];
  if (value === undefined || !is(value)) return undefined;
  Reflect.deleteProperty(extra, key);
  return value;
}

export function isText(value: Json): value is string {
  return typeof value === 'string';
}

/** Free text of operators. It becomes part of records and messages, so its length is limited. */
export function isNote(key: string): (value: Json) => value is string {
  return (value): value is string => {
    if (typeof value !== 'string') return false;
    if (value.length > MAX_NOTE_LENGTH)
      throw new Refusal(`must have at most ${MAX_NOTE_LENGTH} characters`, key);
    return true;
  };
}

/** Leaves out optional fields that are undefined. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/**
 * A message's own fields, in their usual order, then the rest. If `extra` has a field of the same name, the own value wins.
 */
export function withExtra(own: JsonObject, extra: JsonObject): JsonObject {
  return { ...own, ...extra, ...own };
}

/** What an epoch of today is, by its size. */
function unitOf(epoch: number): string {
  if (epoch > LAST_SECOND * 1e6) return 'nanoseconds';
  return epoch > LAST_SECOND * 1e3 ? 'microseconds' : 'milliseconds';
}

export function mismatch(wanted: string, value: Json | undefined, key: string): Refusal {
  if (value === undefined) return new Refusal(`is missing; it must be ${wanted}`, key);
  const isNumber = typeof value === 'number' || value instanceof JsonNumber;
  const found = isNumber ? String(value) : typeName(value);
  return new Refusal(found === wanted ? `must be ${wanted}` : `must be ${wanted}, not ${found}`, key);
}

/**
 * Reads a few fields of a JSON object from its bytes. `JSON.parse` makes a value of everything, and enters each short text into
 * a table of the process; here the rest is only gone through, in a fraction of the time.
 */
import { parseNative } from './json.ts';

/** Other names could have several spellings in bytes that are not valid UTF-8. */
const PLAIN_NAME = /^[\x20-\x7e]+$/;
/** An object that is nested deeper is left to `JSON.parse`. */
const LEVELS = 32;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** `E` and `e`, whatever their case is. */
const EXPONENT = 0x65;
const LOWER = 0x20;
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text));
/** What the functions here return instead of a place: `JSON.parse` is to decide. */
const UNSURE = -1;

/** @returns the fields of an object, or undefined where the whole value is to be parsed */
export type FieldReader = (bytes: Buffer) => Record<string, unknown> | undefined;

/**
 * Makes a function that gives those fields of an object that have these names, each as `parseNative` gives it. It is sure only
 * of valid JSON without escapes and not nested deeply; of all else it returns undefined.
 *
 * @returns undefined: such names cannot be looked for
 */
export function fieldReader(names: Iterable<string>): FieldReader | undefined {
  const wanted = [...new Set(names)].map((name) => ({ name, bytes: Buffer.from(name) }));
  if (wanted.some(({ name }) => name === '__proto__' || !PLAIN_NAME.test(name))) return undefined;
  const nameAt = (bytes: Buffer, from: number, end: number): string | undefined => {
    for (const each of wanted)
      if (each.bytes.length === end - from && startsWith(bytes, from, each.bytes)) return each.name;
    return undefined;
  };
  return (bytes) => {
    const found: Record<string, unknown> = {};
    const start = afterBlanks(bytes, 0);
    if (bytes[start] !== OPEN_OBJECT) return undefined;
    const end = endOfObject(bytes, start, LEVELS, (from, to, valueFrom, valueTo) => {
      const name = nameAt(bytes, from, to);
      if (name !== undefined) found[name] = valueOf(bytes, valueFrom, valueTo);
    });
    return end !== UNSURE && afterBlanks(bytes, end) === bytes.length ? found : undefined;
  };
}

/** Of a part that has been gone through. */
function valueOf(bytes: Buffer, from: number, end: number): unknown {
  // It has no escapes.
  if (bytes[from] === QUOTE) return bytes.toString('utf8', from + 1, end - 1);
  return parseNative(bytes.toString('utf8', from, end)).value;
}

function startsWith(bytes: Buffer, from: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index += 1) if (bytes[from + index] !== text[index]) return false;
  return true;
}

function afterBlanks(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const code = bytes[at];
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

type OnField = (nameFrom: number, nameEnd: number, valueFrom: number, valueEnd: number) => void;

/** @param from of the opening brace. @returns after the closing one */
function endOfObject(bytes: Buffer, from: number, levels: number, onField?: OnField): number {
  let at = afterBlanks(bytes, from + 1);
  if (bytes[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    const name = at;
    if (bytes[name] !== QUOTE) return UNSURE;
    const nameEnd = endOfText(bytes, name);
    if (nameEnd === UNSURE) return UNSURE;
    at = afterBlanks(bytes, nameEnd);
    if (bytes[at] !== COLON) return UNSURE;
    const value = afterBlanks(bytes, at + 1);
    at = endOfValue(bytes, value, levels - 1);
    if (at === UNSURE) return UNSURE;
    onField?.(name + 1, nameEnd - 1, value, at);
    at = afterBlanks(bytes, at);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) return UNSURE;
    at = afterBlanks(bytes, at + 1);
  }
}

/** @param from of the opening bracket. @returns after the closing one */
function endOfList(bytes: Buffer, from: number, levels: number): number {
  let at = afterBlanks(bytes, from + 1);
  if (bytes[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    at = endOfValue(bytes, at, levels - 1);
    if (at === UNSURE) return UNSURE;
    at = afterBlanks(bytes, at);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) return UNSURE;
    at = afterBlanks(bytes, at + 1);
  }
}

function endOfValue(bytes: Buffer, from: number, levels: number): number {
  const code = bytes[from];
  if (code === QUOTE) return endOfText(bytes, from);
  if (code === MINUS || isDigit(code)) return endOfNumber(bytes, from);
  if (code === OPEN_OBJECT) return levels > 0 ? endOfObject(bytes, from, levels) : UNSURE;
  if (code === OPEN_LIST) return levels > 0 ? endOfList(bytes, from, levels) : UNSURE;
  for (const literal of LITERALS) if (startsWith(bytes, from, literal)) return from + literal.length;
  return UNSURE;
}

/** @param from of the opening quote. @returns after the closing one */
function endOfText(bytes: Buffer, from: number): number {
  const { length } = bytes;
  for (let at = from + 1; at < length; at += 1) {
    const code = bytes[at] as number;
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH || code < 0x20) return UNSURE;
  }
  return UNSURE;
}

function endOfNumber(bytes: Buffer, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const first = at;
  at = afterDigits(bytes, at);
  if (at === first || (bytes[first] === ZERO && at > first + 1)) return UNSURE;
  if (bytes[at] === DOT) {
    const fraction = at + 1;
    at = afterDigits(bytes, fraction);
    if (at === fraction) return UNSURE;
  }
  if (((bytes[at] ?? 0) | LOWER) === EXPONENT) {
    const sign = bytes[at + 1];
    const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
    at = afterDigits(bytes, exponent);
    if (at === exponent) return UNSURE;
  }
  return at;
}

function afterDigits(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at += 1;
  return at;
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= NINE;
}

/**
 * JSON without loss: a number that a JavaScript number cannot hold digit by digit (`9223372036854775807`, `1.10`, `1e400`)
 * is read as a {@link JsonNumber}, and `JSON.stringify` writes it as it stood.
 */

/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | JsonNumber | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

declare global {
  interface JSON {
    /** https://tc39.es/proposal-json-parse-with-source/: a value that `JSON.stringify` writes as the given text. */
    rawJSON(text: string): object;
  }
}

/** A number of more digits is not useful, and takes long to convert. */
const MOST_DIGITS = 1_000;

/** A number token whose digits a JavaScript number would change. */
export class JsonNumber {
  readonly text: string;

  /** @param text as JSON writes numbers */
  constructor(text: string) {
    this.text = text;
  }

  /** The number to count with: whole numbers exactly, as a bigint beyond 2^53; others as the nearest double. */
  toNative(): number | bigint {
    const number = Number(this.text);
    const isWhole = /^-?\d+$/.test(this.text) && this.text.length <= MOST_DIGITS;
    return isWhole && !Number.isSafeInteger(number) ? BigInt(this.text) : number;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): object {
    return JSON.rawJSON(this.text);
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  );
}

/** Any JSON number as {@link JsonNumber.toNative}; undefined: it is no number. */
export function nativeOf(value: Json | undefined): number | bigint | undefined {
  if (typeof value === 'number') return value;
  return value instanceof JsonNumber ? value.toNative() : undefined;
}

/** Any JSON number as a JavaScript number, rounded where it has to be; undefined: it is no number. */
export function numberOf(value: Json | undefined): number | undefined {
  const native = nativeOf(value);
  return native === undefined ? undefined : Number(native);
}

/**
 * Parses JSON without loss. Costs little more than `JSON.parse` where no number needs a {@link JsonNumber}.
 *
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseJson(text: string): Json {
  return parseWith(text, (token) => new JsonNumber(token)).value as Json;
}

/**
 * Parses JSON for code that counts: numbers as {@link JsonNumber.toNative} gives them.
 *
 * @returns `needsDigits`: {@link parseJson} has a {@link JsonNumber} in it, so that its value is another one
 * @throws SyntaxError
 */
export function parseNative(text: string): { value: unknown; needsDigits: boolean } {
  return parseWith(text, (token) => new JsonNumber(token).toNative());
}

/**
 * For files and answers of which known fields are read and nothing is passed on: numbers as JavaScript has them.
 *
 * @throws SyntaxError
 */
export function parsePlainJson(text: string): unknown {
  return JSON.parse(text);
}

/** As JSON that is only looked at; undefined: it is none. */
export function tryParseJson(text: string): Json | undefined {
  try {
    return parsePlainJson(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether lists and objects are nested in more than so many levels. */
export function isDeeperThan(levels: number, value: Json): boolean {
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return false;
  if (levels === 0) return true;
  const inner = Array.isArray(value) ? value : Object.values(value);
  return inner.some((each) => isDeeperThan(levels - 1, each));
}

function parseWith(
  text: string,
  numberFor: (token: string) => unknown,
): { value: unknown; needsDigits: boolean } {
  const plain: unknown = JSON.parse(text);
  if (isExact(plain, text)) return { value: plain, needsDigits: false };
  const spans = inexactNumbers(text);
  if (spans === undefined) return { value: plain, needsDigits: false };
  // A token becomes a string that begins with a mark which no other string of this text begins with.
  const mark = markFor(text);
  let marked = '';
  let at = 0;
  for (const [from, to] of spans) {
    marked += `${text.slice(at, from)}"${mark.escaped}${text.slice(from, to)}"`;
    at = to;
  }
  const value: unknown = JSON.parse(marked + text.slice(at));
  return { value: unmarked(value, mark.text, numberFor), needsDigits: true };
}

/** What the numbers of a value are, the more doubtful the larger. */
const NO_NUMBERS = 0;
const SAFE_INTEGERS = 1;
const OTHER_NUMBERS = 2;
/** A value may be nested at will; one that is nested deeper counts as having other numbers. */
const LEVELS_LOOKED_AT = 32;
/** How a whole number can be written so that its digits are not all (`5.0`, `5e0`), and some strings. */
const FRACTION_OR_EXPONENT = /\d[.eE]/;
/** A longer text is most often a few long strings, which {@link numbersOf} does not look into. */
const SHORT_TEXT = 4_096;
/** Each number that a JavaScript number may change, and some strings: a fraction, an exponent, 16 digits, `-0`. */
const DOUBTFUL = /\d[.eE]|\d{16}|-0(?!\d)/;

/**
 * Whether the numbers of a parsed value have all digits of its text. Most messages have no numbers or a few small integers, so
 * this sees that they are exact in a fraction of the time that {@link inexactNumbers} takes.
 *
 * @returns false: perhaps
 */
function isExact(value: unknown, text: string): boolean {
  // Of a short text this takes less time than a look at each of its values.
  if (text.length <= SHORT_TEXT && !DOUBTFUL.test(text)) return true;
  const kind = numbersOf(value, LEVELS_LOOKED_AT);
  return kind === NO_NUMBERS || (kind === SAFE_INTEGERS && !FRACTION_OR_EXPONENT.test(text));
}

/** Written out, without callbacks and lists of keys: it sees every value. */
function numbersOf(value: unknown, levels: number): number {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? SAFE_INTEGERS : OTHER_NUMBERS;
  if (typeof value !== 'object' || value === null) return NO_NUMBERS;
  if (levels === 0) return OTHER_NUMBERS;
  let most = NO_NUMBERS;
  if (Array.isArray(value)) {
    for (const each of value) {
      const kind = numbersOf(each, levels - 1);
      if (kind === OTHER_NUMBERS) return kind;
      if (kind > most) most = kind;
    }
    return most;
  }
  for (const key in value) {
    const kind = numbersOf((value as Record<string, unknown>)[key], levels - 1);
    if (kind === OTHER_NUMBERS) return kind;
    if (kind > most) most = kind;
  }
  return most;
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
/** Whole numbers of so many characters are safe, and decimals of one more: 15 digits survive a double. */
const SAFE_LENGTH = 15;
/** Strings are most often shorter; a longer one is left to `indexOf`, which is faster only then. */
const SHORT = 16;

/**
 * Where the number tokens are that a JavaScript number would change. By hand: it sees many texts.
 *
 * @param text valid JSON
 * @returns undefined: nowhere
 */
function inexactNumbers(text: string): [from: number, to: number][] | undefined {
  const { length } = text;
  let found: [number, number][] | undefined;
  for (let at = 0; at < length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at + 1);
    else if (code > NINE || (code < ZERO && code !== MINUS)) at += 1;
    else {
      const end = endOfSafeNumber(text, at);
      if (end > 0) at = end;
      else {
        const from = at;
        at = endOfNumber(text, at);
        if (isInexact(text.slice(from, at))) (found ??= []).push([from, at]);
      }
    }
  }
  return found;
}

/** @returns where a number ends that needs no closer look; 0: it does */
function endOfSafeNumber(text: string, from: number): number {
  const { length } = text;
  const isNegative = text.charCodeAt(from) === MINUS;
  const first = isNegative ? from + 1 : from;
  let at = first;
  let code = 0;
  while (at < length && (code = text.charCodeAt(at)) >= ZERO && code <= NINE) at += 1;
  // 0.0000001 is written as 1e-7, and -0 as 0.
  const startsWithZero = text.charCodeAt(first) === ZERO;
  if (at === length || (code !== DOT && code !== UPPER_E && code !== LOWER_E)) {
    return at - from > SAFE_LENGTH || (isNegative && startsWithZero) ? 0 : at;
  }
  if (code !== DOT || startsWithZero) return 0;
  let last = code;
  at += 1;
  while (at < length && (code = text.charCodeAt(at)) >= ZERO && code <= NINE) {
    last = code;
    at += 1;
  }
  const isPlain = at === length || (code !== UPPER_E && code !== LOWER_E);
  return isPlain && last > ZERO && at - from <= SAFE_LENGTH + 1 ? at : 0;
}

function endOfNumber(text: string, from: number): number {
  let at = from;
  while (at < text.length && isOfNumber(text.charCodeAt(at))) at += 1;
  return at;
}

function isOfNumber(code: number): boolean {
  if (code >= ZERO) return code <= NINE || code === LOWER_E || code === UPPER_E;
  return code === DOT || code === MINUS || code === PLUS;
}

function isInexact(token: string): boolean {
  const number = Number(token);
  // A larger whole number may be written with the same digits, and is another one: 9223372036854776000.
  return String(number) !== token || (Number.isInteger(number) && !Number.isSafeInteger(number));
}

/** @param from after the opening quote. @returns after the closing one */
function endOfString(text: string, from: number): number {
  const { length } = text;
  const near = Math.min(from + SHORT, length);
  let at = from;
  for (; at < near; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return length;
    let before = quote - 1;
    while (before >= at && text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
    at = quote + 1;
  }
}

/** So many NULs as stand nowhere in a row: JSON can write a NUL in no other way than as \u0000. */
function markFor(text: string): { text: string; escaped: string } {
  let count = 1;
  while (text.includes(String.raw`\u0000`.repeat(count))) count *= 2;
  return { text: '\0'.repeat(count), escaped: String.raw`\u0000`.repeat(count) };
}

/** Puts the numbers in the place of the marked strings. Without recursion: what `JSON.parse` takes may be nested at will. */
function unmarked(value: unknown, mark: string, numberFor: (token: string) => unknown): unknown {
  const root = { value };
  const open: object[] = [root];
  for (let container = open.pop(); container !== undefined; container = open.pop()) {
    // Of a list the keys are its indexes.
    const values = container as Record<string, unknown>;
    for (const key of Object.keys(values)) {
      const inner = values[key];
      if (typeof inner === 'string') {
        if (inner.startsWith(mark)) values[key] = numberFor(inner.slice(mark.length));
      } else if (typeof inner === 'object' && inner !== null) open.push(inner);
    }
  }
  return root.value;
}

import { LineShape, type VariableText } from './line-shape.ts';

/**
 * Finds out whether a line is an event in a usual form, and of which table, without decoding or parsing it: a million
 * lines take a fraction of a second, where parsing takes several.
 *
 * Lines of one producer have the same shape: what one has in common with an earlier one is compared, and not looked at again.
 *
 * The usual form is the dialect `pairs` with up to two levels, its fields in any order, beside them any whose values are
 * texts or whole numbers, when nothing in it is escaped or beyond ASCII. Whatever is not of this form may still be an
 * event: it has to be parsed.
 */
export class EventScanner {
  /** By a hash of database and table. */
  readonly #keys = new Map<number, TableKey[]>();
  /** The last of each hash, by its low bits. */
  readonly #recent = new Array<TableKey | undefined>(RECENT).fill(undefined);
  /** Of lines before: the next one is most often like one of them. */
  readonly #shapes: LineShape[] = [];
  /** The texts of the line that is looked at. */
  #texts: VariableText[] = [];
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array = EMPTY;
  /** Where the value that {@link string} went over is, without its quotes. */
  #from = 0;
  #to = 0;

  /**
   * @param bytes memory that holds the line, and more
   * @returns the key of the event, `db.table`, the same object for the same table; undefined: not of a usual form
   */
  scan(bytes: Uint8Array, from = 0, to = bytes.length): Buffer | undefined {
    if (to - from > LONGEST_LINE || bytes[from] !== BRACE) return undefined;
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    for (let index = 0; index < this.#shapes.length; index += 1) {
      const shape = this.#shapes[index] as LineShape;
      if (shape.fits(bytes, this.#view, from, to)) return this.#keyOf(bytes, shape);
    }
    return this.#scanAny(bytes, from, to);
  }

  /** Whatever its shape, which is remembered. */
  #scanAny(bytes: Uint8Array, from: number, to: number): Buffer | undefined {
    this.#texts = [];
    let hasNumbers = false;
    let seen = 0;
    let db = 0;
    let dbEnd = 0;
    let table = 0;
    let tableEnd = 0;
    let at = from + 1;
    for (;;) {
      const known = FIELDS[bytes[at + 1] ?? 0];
      const value = known === undefined ? -1 : literal(bytes, at, known.bytes);
      let field = OTHER;
      if (known !== undefined && value >= 0) {
        field = known.field;
        at = value;
      } else {
        at = this.#string(bytes, at, NAME);
        if (at < 0 || bytes[at] !== COLON) return undefined;
        at = afterBlank(bytes, at + 1);
      }
      // Of a field that comes twice the last one counts.
      if ((seen & field) !== 0) return undefined;
      seen |= field;
      if (field === DB || field === TABLE) {
        at = this.#string(bytes, at, NAME);
        if (at < 0 || this.#from === this.#to || this.#to - this.#from > LONGEST) return undefined;
        this.#keepText(NAME, 1, LONGEST);
        if (field === DB) {
          db = this.#from;
          dbEnd = this.#to;
        } else {
          table = this.#from;
          tableEnd = this.#to;
        }
      } else if (field === PARTITION) at = this.#levels(bytes, at);
      else if (field === ENVELOPE) return undefined;
      else if (bytes[at] === QUOTE) {
        at = this.#string(bytes, at, field === DATE ? DIGIT : PLAIN);
        const length = this.#to - this.#from;
        if (field === DATE && !isSeconds(length)) return undefined;
        if (field === DATE)
          this.#keepText(DIGIT, length < DAY ? 1 : DAY + 1, length < DAY ? DAY - 1 : LONGEST_DATE);
        else this.#keepText(PLAIN, 0, LONGEST_LINE);
      } else if (field === METHOD) return undefined;
      else {
        const end = wholeNumber(bytes, at);
        if (field === DATE && !isSeconds(end - at)) return undefined;
        at = end;
        hasNumbers = true;
      }
      if (at < 0) return undefined;
      if (bytes[at] === COMMA) at = afterBlank(bytes, at + 1);
      else if (bytes[at] === END_BRACE && at + 1 === to && (seen & NEEDED) === NEEDED) break;
      else return undefined;
    }
    // A number is no text, and most often another one on each line.
    if (!hasNumbers && this.#shapes.length < SHAPES)
      this.#shapes.push(new LineShape(bytes, { from, to, db, table }, this.#texts));
    return this.#keyOf(bytes, { db, dbEnd, table, tableEnd });
  }

  /** Keeps what {@link string} went over last, if a shape may come of it. */
  #keepText(characters: Uint8Array, least: number, most: number): void {
    if (this.#shapes.length === SHAPES) return;
    this.#texts.push({ from: this.#from, to: this.#to, characters, least, most });
  }

  /** The keys that were found, each once. */
  keys(): Buffer[] {
    return [...this.#keys.values()].flat().map(({ bytes }) => bytes);
  }

  /** @returns where the string of such characters ends, its quotes included; -1 where there is none */
  #string(bytes: Uint8Array, from: number, characters: Uint8Array): number {
    if (bytes[from] !== QUOTE) return -1;
    const end = run(bytes, from + 1, characters);
    if (bytes[end] !== QUOTE) return -1;
    this.#from = from + 1;
    this.#to = end;
    return end + 1;
  }

  /** The list of an unpartitioned table, of one level or of two. */
  #levels(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== BRACKET) return -1;
    if (bytes[from + 1] === END_BRACKET) return from + 2;
    let at = this.#level(bytes, from + 1);
    if (at < 0) return -1;
    if (bytes[at] === END_BRACKET) return at + 1;
    const first = { from: this.#from, to: this.#to };
    if (bytes[at] !== COMMA || first.from === first.to) return -1;
    at = this.#level(bytes, afterBlank(bytes, at + 1));
    const isOther = this.#from !== this.#to && !isRepeated(bytes, first, { from: this.#from, to: this.#to });
    return at >= 0 && bytes[at] === END_BRACKET && isOther ? at + 1 : -1;
  }

  /** A level with both a name and a value, or the blank one of an unpartitioned table. Its name is what is kept. */
  #level(bytes: Uint8Array, from: number): number {
    const name = this.#string(bytes, literal(bytes, from, BEFORE_NAME), TEXT);
    if (name < 0) return -1;
    const nameFrom = this.#from;
    const nameTo = this.#to;
    const value = this.#string(bytes, literal(bytes, name, BEFORE_VALUE), TEXT);
    if (value < 0 || bytes[value] !== END_BRACE) return -1;
    const nameLength = nameTo - nameFrom;
    const valueLength = this.#to - this.#from;
    if (valueLength > 0) this.#keepText(TEXT, 1, LONGEST);
    this.#from = nameFrom;
    this.#to = nameTo;
    const fits =
      nameLength <= LONGEST && valueLength <= LONGEST && (nameLength === 0) === (valueLength === 0);
    return fits ? value + 1 : -1;
  }

  #keyOf(line: Uint8Array, place: KeyPlace): Buffer {
    const { db, dbEnd, table, tableEnd } = place;
    const hash = hashOf(line, table, tableEnd, hashOf(line, db, dbEnd, 0));
    const recent = this.#recent[hash & (RECENT - 1)];
    if (recent !== undefined && isKey(recent, line, place)) return recent.bytes;
    let keys = this.#keys.get(hash);
    if (keys === undefined) this.#keys.set(hash, (keys = []));
    let key = keys.find((known) => isKey(known, line, place));
    if (key === undefined) {
      const parts = [line.subarray(db, dbEnd), Buffer.from('.'), line.subarray(table, tableEnd)];
      const bytes = Buffer.concat(parts);
      const dot = dbEnd - db;
      key = { bytes, db: bytes.subarray(0, dot), table: bytes.subarray(dot + 1) };
      keys.push(key);
    }
    this.#recent[hash & (RECENT - 1)] = key;
    return key.bytes;
  }
}

/** A key that was made, whole and in its parts. */
interface TableKey {
  bytes: Buffer;
  db: Uint8Array;
  table: Uint8Array;
}

/** Where database and table are in a line. */
type KeyPlace = Pick<LineShape, 'db' | 'dbEnd' | 'table' | 'tableEnd'>;

interface Range {
  from: number;
  to: number;
}

const RECENT = 4096;
/** So many are remembered: of more the look-up would take longer than it saves. */
const SHAPES = 6;
const EMPTY = new Uint8Array(0);

const BEFORE_NAME = Buffer.from('{"name":');
const BEFORE_VALUE = Buffer.from(',"value":');

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const COLON = 0x3a;
const BRACKET = 0x5b;
const END_BRACKET = 0x5d;
const BRACE = 0x7b;
const END_BRACE = 0x7d;

/** What a field is; a bit each of those that must not come twice. */
const OTHER = 0;
const DB = 1;
const TABLE = 2;
const METHOD = 4;
const PARTITION = 8;
const DATE = 16;
/** Of what `hippo tail --json` prints, and nothing else. */
const ENVELOPE = 32;
const NEEDED = DB | TABLE | PARTITION | DATE;

/** By the first character of its name. */
const FIELDS = new Array<{ bytes: Buffer; field: number } | undefined>(256).fill(undefined);
for (const [name, field] of [
  ['db', DB],
  ['table', TABLE],
  ['method', METHOD],
  ['partition', PARTITION],
  ['exec_date', DATE],
  ['offset', ENVELOPE],
] as const)
  FIELDS[name.charCodeAt(0)] = { bytes: Buffer.from(`"${name}":`), field };

/** Characters that need no look: no quote, no escape, nothing that is not ASCII. By character code. */
function charactersOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

const NAME = charactersOf(/[A-Za-z0-9_$-]/);
const TEXT = charactersOf(/[A-Za-z0-9_$.:+-]/);
const PLAIN = charactersOf(/[ !#-[\]-~]/);
const DIGIT = charactersOf(/[0-9]/);
/** Longer than this, a name has to be looked at more closely. */
const LONGEST = 200;
/** More digits are no seconds. */
const LONGEST_DATE = 10;
/** So many digits may be a date, which has to be looked at: 20170431 is none. */
const DAY = 8;
/** And so has a line. */
const LONGEST_LINE = 65_536;
/** A whole number of more digits gets a closer look. */
const LONGEST_NUMBER = 15;

/** @param length of a text of digits */
function isSeconds(length: number): boolean {
  return length > 0 && length <= LONGEST_DATE && length !== DAY;
}

/** Where a run of such characters ends; there may be none. */
function run(bytes: Uint8Array, from: number, characters: Uint8Array): number {
  let at = from;
  while (characters[bytes[at] ?? 0] === 1) at += 1;
  return at;
}

/** @returns where it ends; -1 where there is none, or one that JSON does not allow */
function wholeNumber(bytes: Uint8Array, from: number): number {
  const end = run(bytes, from, DIGIT);
  const length = end - from;
  if (length === 0 || length > LONGEST_NUMBER || (length > 1 && bytes[from] === ZERO)) return -1;
  return end;
}

function afterBlank(bytes: Uint8Array, at: number): number {
  return bytes[at] === SPACE ? at + 1 : at;
}

/** @returns after the literal, which may have a blank after each colon and comma; -1 where it does not stand there */
function literal(bytes: Uint8Array, from: number, expected: Uint8Array): number {
  if (from < 0) return -1;
  // By index, and first without blanks: this is where the time goes.
  let index = 0;
  while (index < expected.length && bytes[from + index] === expected[index]) index += 1;
  if (index < expected.length) return spacedLiteral(bytes, from + index, expected, index);
  return afterBlank(bytes, from + index);
}

/** The rest of a literal. */
function spacedLiteral(bytes: Uint8Array, from: number, expected: Uint8Array, index: number): number {
  let at = from;
  for (let rest = index; rest < expected.length; rest++) {
    const before = expected[rest - 1];
    if (bytes[at] === SPACE && (before === COLON || before === COMMA)) at += 1;
    if (bytes[at] !== expected[rest]) return -1;
    at += 1;
  }
  return afterBlank(bytes, at);
}

function hashOf(line: Uint8Array, from: number, to: number, start: number): number {
  let hash = start;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (line[at] ?? 0)) | 0;
  return hash;
}

function isKey(key: TableKey, line: Uint8Array, { db, dbEnd, table, tableEnd }: KeyPlace): boolean {
  return isPart(line, db, dbEnd, key.db) && isPart(line, table, tableEnd, key.table);
}

/** Whether exactly these bytes stand from `from` up to `to`. */
function isPart(bytes: Uint8Array, from: number, to: number, expected: Uint8Array): boolean {
  if (to - from !== expected.length) return false;
  for (let index = 0; index < expected.length; index++)
    if (bytes[from + index] !== expected[index]) return false;
  return true;
}

function isRepeated(bytes: Uint8Array, first: Range, second: Range): boolean {
  const length = first.to - first.from;
  if (length !== second.to - second.from) return false;
  for (let index = 0; index < length; index++)
    if (bytes[first.from + index] !== bytes[second.from + index]) return false;
  return true;
}

/**
 * Finds out whether a line is an event in the usual form, and of which table, without decoding or parsing it: a million
 * lines take a fraction of a second, where parsing takes several.
 *
 * The usual form is what hippo writes by default (the dialect `pairs` with one level or none) when nothing in it is
 * escaped. Whatever is not of this form may still be an event: it has to be parsed.
 */
export class EventScanner {
  /** By a hash of database and table. */
  readonly #keys = new Map<number, TableKey[]>();

  /**
   * @returns the key of the event, `db.table`, the same object for the same table; undefined: not of the usual form
   */
  scan(line: Uint8Array): Buffer | undefined {
    const table = literal(line, 0, BEFORE_TABLE);
    const tableEnd = run(line, table, NAME);
    const name = literal(line, tableEnd, BEFORE_NAME);
    const nameEnd = text(line, name);
    const value = literal(line, nameEnd, BEFORE_VALUE);
    const valueEnd = text(line, value);
    const db = literal(line, valueEnd, BEFORE_DB);
    const dbEnd = run(line, db, NAME);
    const method = literal(line, dbEnd, BEFORE_METHOD);
    const date = literal(line, text(line, method), BEFORE_DATE);
    const dateEnd = run(line, date, DIGIT);
    const end = literal(line, dateEnd, END);
    // A level has both a name and a value, or is the blank one of an unpartitioned table.
    if (end !== line.length || (nameEnd === name) !== (valueEnd === value) || dateEnd - date > 10) {
      return undefined;
    }
    return this.#keyOf(line, db, dbEnd, table, tableEnd);
  }

  /** The keys that were found, each once. */
  keys(): Buffer[] {
    return [...this.#keys.values()].flat().map(({ bytes }) => bytes);
  }

  #keyOf(line: Uint8Array, db: number, dbEnd: number, table: number, tableEnd: number): Buffer {
    const hash = hashOf(line, table, tableEnd, hashOf(line, db, dbEnd, 0));
    let keys = this.#keys.get(hash);
    if (keys === undefined) this.#keys.set(hash, (keys = []));
    for (const { bytes, dot } of keys) {
      const length = dot + 1 + tableEnd - table;
      if (dot !== dbEnd - db || length !== bytes.length) continue;
      if (holds(bytes, 0, line, db, dbEnd) && holds(bytes, dot + 1, line, table, tableEnd)) return bytes;
    }
    const parts = [line.subarray(db, dbEnd), Buffer.from('.'), line.subarray(table, tableEnd)];
    const key = { bytes: Buffer.concat(parts), dot: dbEnd - db };
    keys.push(key);
    return key.bytes;
  }
}

/** A key that was made, and where its dot is. */
interface TableKey {
  bytes: Buffer;
  dot: number;
}

const BEFORE_TABLE = Buffer.from('{"table":"');
const BEFORE_NAME = Buffer.from('","partition":[{"name":"');
const BEFORE_VALUE = Buffer.from('","value":"');
const BEFORE_DB = Buffer.from('"}],"db":"');
const BEFORE_METHOD = Buffer.from('","method":"');
const BEFORE_DATE = Buffer.from('","exec_date":"');
const END = Buffer.from('"}');

const SPACE = 0x20;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Characters that need no look: no quote, no escape, nothing that is not ASCII. By character code. */
function charactersOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

const NAME = charactersOf(/[A-Za-z0-9_$-]/);
const TEXT = charactersOf(/[A-Za-z0-9_$.:+-]/);
const DIGIT = charactersOf(/[0-9]/);
/** Longer than this, a name has to be looked at more closely. */
const LONGEST = 200;

/** @returns where the literal ends, which may have a blank after each colon and comma; -1 where it does not stand there */
function literal(line: Uint8Array, from: number, expected: Uint8Array): number {
  if (from < 0) return -1;
  // By index, and first without blanks: this is where the time goes.
  let index = 0;
  while (index < expected.length && line[from + index] === expected[index]) index += 1;
  return index === expected.length ? from + index : spacedLiteral(line, from + index, expected, index);
}

/** The rest of a literal. */
function spacedLiteral(line: Uint8Array, from: number, expected: Uint8Array, index: number): number {
  let at = from;
  for (let rest = index; rest < expected.length; rest++) {
    const before = expected[rest - 1];
    if (line[at] === SPACE && (before === COLON || before === COMMA)) at += 1;
    if (line[at] !== expected[rest]) return -1;
    at += 1;
  }
  return at;
}

/** @returns where a run of such characters ends, one at least and not too many; -1 where there is none */
function run(line: Uint8Array, from: number, characters: Uint8Array): number {
  const end = text(line, from, characters);
  return end > from ? end : -1;
}

/** The same, and there may be none. */
function text(line: Uint8Array, from: number, characters = TEXT): number {
  if (from < 0) return -1;
  let at = from;
  while (characters[line[at] ?? 0] === 1) at += 1;
  return at - from <= LONGEST ? at : -1;
}

function hashOf(line: Uint8Array, from: number, to: number, start: number): number {
  let hash = start;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (line[at] ?? 0)) | 0;
  return hash;
}

function holds(bytes: Uint8Array, at: number, line: Uint8Array, from: number, to: number): boolean {
  for (let index = 0; index < to - from; index++) if (bytes[at + index] !== line[from + index]) return false;
  return true;
}

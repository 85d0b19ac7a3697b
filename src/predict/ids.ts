/**
 * The ids of users or items, each with its row. Their UTF-8 bytes lie in one piece of memory: a million strings and a Map of them
 * would hold up the event loop while they are made and each time V8 collects garbage, and would take ten times the memory.
 */
import { isUtf8 } from 'node:buffer';
import { parsePlainJson } from '../core/json.ts';
import { Flaw } from './errors.ts';
import type { Pace } from './pace.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;

/** Offsets are 32 bits wide. */
const MOST_BYTES = 2 ** 32 - 1;
/** So many ids are read in one step. */
const STEP = 2_000;

export class Ids {
  readonly count: number;
  readonly #bytes: Buffer;
  /** Where the id of each row begins in the bytes, and after the last one where that ends. */
  readonly #offsets: Uint32Array;
  /** Open addressing: the row of an id, plus 1; 0: free. Empty where no rows are looked up. */
  #slots = new Uint32Array(0);

  private constructor(bytes: Buffer, offsets: Uint32Array) {
    this.#bytes = bytes;
    this.#offsets = offsets;
    this.count = offsets.length - 1;
  }

  /**
   * Reads a list of JSON texts, in row order.
   *
   * @param file for errors
   * @param json is overwritten
   * @param count so many there must be
   * @throws Flaw
   */
  static async parse(file: string, json: ArrayBuffer, count: number, pace: Pace): Promise<Ids> {
    if (json.byteLength > MOST_BYTES) throw new Flaw(file, 'it is larger than 4 GiB');
    const reader = new ListReader(file, Buffer.from(json));
    const offsets = new Uint32Array(count + 1);
    await pace.inSteps(count, STEP, (from, to) => {
      for (let row = from; row < to; row += 1) offsets[row + 1] = reader.next(row);
    });
    reader.end(count);
    return new Ids(Buffer.from(json.transfer(offsets[count] ?? 0)), offsets);
  }

  /** Of the memory that is held. */
  get bytes(): number {
    return this.#bytes.byteLength + this.#offsets.byteLength + this.#slots.byteLength;
  }

  /**
   * Makes {@link rowOf} work.
   *
   * @throws Flaw where two rows have the same id
   */
  async index(file: string, pace: Pace): Promise<void> {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(this.count * 2 + 1)));
    await pace.inSteps(this.count, STEP, (from, to) => {
      for (let row = from; row < to; row += 1) {
        const [begin, end] = this.#rangeOf(row);
        const slot = this.#slotOf(this.#bytes.subarray(begin, end));
        const found = this.#slots[slot] ?? 0;
        if (found > 0)
          throw new Flaw(file, `rows ${found - 1} and ${row} have the same id "${this.idOf(row)}"`);
        this.#slots[slot] = row + 1;
      }
    });
  }

  /** @returns -1: there is no such id */
  rowOf(id: string): number {
    // A lone surrogate has no bytes of its own.
    if (this.count === 0 || !id.isWellFormed()) return -1;
    return (this.#slots[this.#slotOf(Buffer.from(id))] ?? 0) - 1;
  }

  idOf(row: number): string {
    const [begin, end] = this.#rangeOf(row);
    return this.#bytes.toString('utf8', begin, end);
  }

  /** Lets the memory go. */
  dispose(): void {
    for (const { buffer } of [this.#bytes, this.#offsets, this.#slots]) (buffer as ArrayBuffer).transfer(0);
  }

  #rangeOf(row: number): [begin: number, end: number] {
    return [this.#offsets[row] ?? 0, this.#offsets[row + 1] ?? 0];
  }

  /** That of the id, or the free one where it belongs. */
  #slotOf(id: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(id) & mask;
    for (;;) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0) return slot;
      const [begin, end] = this.#rangeOf(row);
      if (end - begin === id.length && this.#bytes.compare(id, 0, id.length, begin, end) === 0) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

/** FNV-1a, and the last steps of MurmurHash3, which mix the high bits into the low ones. */
function hashOf(bytes: Buffer): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Goes through a list of JSON texts and moves their UTF-8 bytes to the beginning: a text is not longer than its JSON. */
class ListReader {
  readonly #file: string;
  readonly #json: Buffer;
  #at = 0;
  #written = 0;

  constructor(file: string, json: Buffer) {
    this.#file = file;
    this.#json = json;
  }

  /** @returns where the text of this row ends */
  next(row: number): number {
    this.#expect(row === 0 ? OPEN_LIST : COMMA, row);
    this.#expect(QUOTE, row);
    const begin = this.#at;
    const hasEscapes = this.#skipText(row);
    const end = this.#at - 1;
    if (hasEscapes) this.#write(this.#unescaped(begin, end, row));
    else {
      if (!isUtf8(this.#json.subarray(begin, end))) throw this.#flaw(row, 'is not valid UTF-8');
      this.#json.copyWithin(this.#written, begin, end);
      this.#written += end - begin;
    }
    return this.#written;
  }

  end(count: number): void {
    if (count === 0) this.#expect(OPEN_LIST, 0);
    const next = this.#peek();
    if (next === COMMA || (count === 0 && next === QUOTE))
      throw new Flaw(this.#file, `it has more than the ${count} ids of the manifest`);
    this.#expect(CLOSE_LIST, count);
    if (this.#peek() !== undefined) throw new Flaw(this.#file, 'something follows its list');
  }

  /** @returns whether the text has escapes */
  #skipText(row: number): boolean {
    const json = this.#json;
    let hasEscapes = false;
    for (let at = this.#at; at < json.length; at += 1) {
      const byte = json[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return hasEscapes;
      }
      if (byte < BLANK) break;
      if (byte === BACKSLASH) {
        hasEscapes = true;
        at += 1;
      }
    }
    throw this.#flaw(row, 'does not end, or has a control character');
  }

  #unescaped(begin: number, end: number, row: number): string {
    try {
      const text = parsePlainJson(this.#json.toString('utf8', begin - 1, end + 1)) as string;
      if (text.isWellFormed()) return text;
    } catch {
      // Told below.
    }
    throw this.#flaw(row, 'has a wrong escape');
  }

  #write(text: string): void {
    this.#written += this.#json.write(text, this.#written);
  }

  #expect(byte: number, row: number): void {
    const found = this.#peek();
    if (found === undefined) throw new Flaw(this.#file, `it ends before row ${row}`);
    if (found !== byte && found === CLOSE_LIST)
      throw new Flaw(this.#file, `it has ${row} ids, fewer than the manifest`);
    if (found !== byte)
      throw this.#flaw(row, `is not a list of texts: "${String.fromCharCode(byte)}" is expected`);
    this.#at += 1;
  }

  #peek(): number | undefined {
    for (;;) {
      const byte = this.#json[this.#at];
      if (byte !== BLANK && byte !== NEWLINE && byte !== RETURN && byte !== TAB) return byte;
      this.#at += 1;
    }
  }

  #flaw(row: number, what: string): Flaw {
    return new Flaw(this.#file, `row ${row} ${what}`);
  }
}

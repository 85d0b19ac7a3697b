import type { KafkaRecord } from '../kafka/port.ts';

/** Writes a record as it is to be printed, its newline included. */
export type Printer = (record: KafkaRecord, sink: Sink) => void;

/** Where bytes go: `process.stdout`, or a test's stream. */
export interface Output {
  /**
   * @param done called when the chunk is not needed any more
   * @returns false: do not write more until `drain`
   */
  write(chunk: Uint8Array, done: () => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Large writes make a pipe fast. Bytes. */
const CHUNK = 256 * 1024;
/** A line waits at most this long for further lines, milliseconds: a person does not notice it. */
const SOON = 5;

const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What JSON puts for an ASCII character, where that is not the character itself. */
const ESCAPES = Array.from({ length: 0x80 }, (_, code) => {
  const escaped = JSON.stringify(String.fromCharCode(code)).slice(1, -1);
  return escaped.length === 1 ? undefined : Buffer.from(escaped);
});
const IS_ESCAPED = Uint8Array.from({ length: 0x100 }, (_, code) => (ESCAPES[code] === undefined ? 0 : 1));
const LONGEST_ESCAPE = 6;
/** Of a number that is exact. */
const MOST_DIGITS = 16;

/** Buffered output; memory stays flat as long as the writer awaits {@link ready} now and then. */
export class Sink {
  readonly #output: Output;
  readonly #free: Buffer<ArrayBuffer>[] = [];
  #chunk = Buffer.allocUnsafe(CHUNK);
  #used = 0;
  #timer: NodeJS.Timeout | undefined;
  #full = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Text or bytes as they are; a newline is the caller's. */
  write(piece: string | Uint8Array): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (!this.#hasRoom(typeof piece === 'string' ? piece.length * 3 : piece.length)) {
      this.#emit(Buffer.from(piece as string));
    } else if (typeof piece === 'string') {
      this.#used += this.#chunk.write(piece, this.#used);
    } else {
      this.#chunk.set(piece, this.#used);
      this.#used += piece.length;
    }
  }

  /** A whole number in digits, from 0 to 2^53 without making a text of it. */
  writeNumber(number: number | bigint): void {
    if (number < 0 || number > Number.MAX_SAFE_INTEGER) {
      this.write(String(number));
      return;
    }
    this.#hasRoom(MOST_DIGITS);
    let rest = Number(number);
    let digits = 1;
    for (let power = 10; rest >= power; power *= 10) digits++;
    this.#used += digits;
    for (let at = this.#used - 1; digits > 0; at--, digits--) {
      const tenth = Math.floor(rest / 10);
      this.#chunk[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
  }

  /** UTF-8 as a JSON string: byte by byte what JSON.stringify makes of its text, without making that text. */
  writeJsonString(utf8: Uint8Array): void {
    if (!this.#hasRoom(utf8.length * LONGEST_ESCAPE + 2)) {
      this.#emit(Buffer.from(JSON.stringify(Buffer.from(utf8).toString())));
      return;
    }
    const chunk = this.#chunk;
    const { length } = utf8;
    let at = this.#used;
    chunk[at++] = QUOTE;
    for (let index = 0; index < length; index++) {
      const byte = utf8[index] as number;
      if (IS_ESCAPED[byte] === 0) chunk[at++] = byte;
      else if (byte === QUOTE || byte === BACKSLASH) {
        chunk[at++] = BACKSLASH;
        chunk[at++] = byte;
      } else at += ESCAPES[byte]?.copy(chunk, at) ?? 0;
    }
    chunk[at++] = QUOTE;
    this.#used = at;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#used === 0) return;
    // The output may keep what it was given until it is written: not touched until it says so.
    const chunk = this.#chunk;
    const used = this.#used;
    this.#chunk = this.#free.pop() ?? Buffer.allocUnsafe(CHUNK);
    this.#used = 0;
    this.#emit(chunk.subarray(0, used), () => this.#free.push(chunk));
  }

  /** Resolves when the reader has taken enough of what was flushed. */
  async ready(): Promise<void> {
    if (!this.#full) return;
    await new Promise<void>((resolve) => {
      this.#output.once('drain', resolve);
    });
    this.#full = false;
  }

  /** Flushes where that is needed to make room; false: more than fits the chunk, which is then empty. */
  #hasRoom(size: number): boolean {
    if (size > CHUNK - this.#used) this.flush();
    if (size > CHUNK) return false;
    this.#timer ??= setTimeout(() => this.flush(), SOON);
    return true;
  }

  #emit(bytes: Uint8Array, done: () => void = () => undefined): void {
    if (!this.#output.write(bytes, done)) this.#full = true;
  }
}

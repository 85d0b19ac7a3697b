/** A text of a line, without its quotes, and what may stand there. */
export interface VariableText {
  from: number;
  to: number;
  /** By character code: 1 where it may be in the text. */
  characters: Uint8Array;
  /** How long the text may be, bytes. */
  least: number;
  most: number;
}

/**
 * What a line has in common with others of its producer: all of it but some texts. Of a line that fits nothing else has to be
 * looked at: its fields are the same, and in the same order.
 */
export class LineShape {
  readonly #parts: readonly { before: Literal; text: VariableText }[];
  readonly #after: Literal;
  readonly #db: number;
  readonly #table: number;
  /** Where database and table are in the line that was found to fit. */
  db = 0;
  dbEnd = 0;
  table = 0;
  tableEnd = 0;

  /**
   * @param line a part of `bytes`; where its database and its table begin
   * @param texts in their order
   */
  constructor(
    bytes: Uint8Array,
    { from, to, db, table }: { from: number; to: number; db: number; table: number },
    texts: readonly VariableText[],
  ) {
    const ends = [from, ...texts.map((text) => text.to)];
    this.#parts = texts.map((text, index) => ({
      before: new Literal(bytes.subarray(ends[index], text.from)),
      text,
    }));
    this.#after = new Literal(bytes.subarray(ends.at(-1), to));
    this.#db = texts.findIndex((text) => text.from === db);
    this.#table = texts.findIndex((text) => text.from === table);
  }

  /** @param view of `bytes` */
  fits(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    let at = from;
    for (let index = 0; index < this.#parts.length; index += 1) {
      const { before, text } = this.#parts[index] as { before: Literal; text: VariableText };
      const start = at + before.length;
      if (start >= to || !before.isAt(bytes, view, at)) return false;
      at = start;
      while (text.characters[bytes[at] ?? 0] === 1) at += 1;
      if (at - start < text.least || at - start > text.most) return false;
      if (index === this.#db) {
        this.db = start;
        this.dbEnd = at;
      } else if (index === this.#table) {
        this.table = start;
        this.tableEnd = at;
      }
    }
    return at + this.#after.length === to && this.#after.isAt(bytes, view, at);
  }
}

/** Bytes that are compared four at a time. */
class Literal {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  /** @param bytes are copied */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.length = bytes.length;
    this.#bytes = Uint8Array.from(bytes);
    this.#words = Int32Array.from({ length: bytes.length >>> 2 }, (_, index) => view.getInt32(4 * index));
  }

  isAt(bytes: Uint8Array, view: DataView, from: number): boolean {
    const words = this.#words;
    let at = from;
    for (let index = 0; index < words.length; index += 1, at += 4)
      if (view.getInt32(at) !== words[index]) return false;
    for (let index = words.length << 2; index < this.length; index += 1, at += 1)
      if (bytes[at] !== this.#bytes[index]) return false;
    return true;
  }
}

/** Where bytes go: `process.stdout`, or a test's stream. */
export interface Output {
  /** false: do not write more until `drain`. */
  write(chunk: Uint8Array): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Large writes are what makes a pipe fast. Bytes. */
const CHUNK = 256 * 1024;
/** A line that is not out yet waits no longer than this for company: immediate to a person. Milliseconds. */
const SOON = 5;

/** Buffered output; memory stays flat as long as the writer awaits {@link ready} now and then. */
export class Sink {
  readonly #output: Output;
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
    const room = typeof piece === 'string' ? piece.length * 3 : piece.length;
    if (room > CHUNK - this.#used) this.flush();
    if (room > CHUNK) {
      this.#emit(Buffer.from(piece as string));
      return;
    }
    if (typeof piece === 'string') this.#used += this.#chunk.write(piece, this.#used);
    else {
      this.#chunk.set(piece, this.#used);
      this.#used += piece.length;
    }
    this.#timer ??= setTimeout(() => this.flush(), SOON);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#used === 0) return;
    const full = this.#chunk.subarray(0, this.#used);
    // The output may keep what it was given until it is written: never touch it again.
    this.#chunk = Buffer.allocUnsafe(CHUNK);
    this.#used = 0;
    this.#emit(full);
  }

  /** Resolves when the reader has taken enough of what was flushed. */
  async ready(): Promise<void> {
    if (!this.#full) return;
    await new Promise<void>((resolve) => {
      this.#output.once('drain', resolve);
    });
    this.#full = false;
  }

  #emit(bytes: Uint8Array): void {
    if (!this.#output.write(bytes)) this.#full = true;
  }
}

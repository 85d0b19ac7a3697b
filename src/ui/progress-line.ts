import { columnsOf } from './terminal.ts';
import { cut } from './text.ts';

/** Where progress goes: `process.stderr`, or a test's stream. */
export interface ProgressOutput {
  isTTY?: boolean;
  /** 0 on a terminal that does not know. */
  columns?: number;
  write(text: string): unknown;
}

/** Off a terminal there is a line this often, milliseconds. */
const PERIOD = 10_000;
const CLEAR = '\r\u001b[K';

/** Progress on stderr: one line that is drawn again and again on a terminal; elsewhere a line now and then. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  readonly #live: boolean;
  #shown = '';
  #next: number;

  constructor(output: ProgressOutput = process.stderr, now: () => number = Date.now, env = process.env) {
    this.#output = output;
    this.#now = now;
    this.#live = output.isTTY === true && env['CI'] === undefined && env['TERM'] !== 'dumb';
    this.#next = now() + PERIOD;
  }

  show(text: string): void {
    if (this.#live) {
      // The last column stays free: a terminal may begin a new line there.
      const line = cut(text, Math.max(1, columnsOf(this.#output) - 1));
      if (line !== this.#shown) this.#output.write(`${CLEAR}${line}`);
      this.#shown = line;
    } else if (this.#now() >= this.#next && text !== this.#shown) {
      this.#output.write(`${text}\n`);
      this.#shown = text;
      this.#next = this.#now() + PERIOD;
    }
  }

  /** Prints something that stays, above the line. */
  above(print: () => void): void {
    const line = this.#shown;
    if (!this.#live || line === '') {
      print();
      return;
    }
    this.#output.write(CLEAR);
    print();
    this.#output.write(line);
  }

  end(): void {
    if (this.#live && this.#shown !== '') this.#output.write(CLEAR);
    this.#shown = '';
  }
}

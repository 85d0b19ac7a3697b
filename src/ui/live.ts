import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { columnsOf, rowsOf } from './terminal.ts';
import { cut } from './text.ts';

/** A text on a terminal that is drawn over its last state. */
export class Live {
  readonly #terminal: NodeJS.WriteStream;
  #lines = 0;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
  }

  /** Draws what fits the terminal. */
  show(text: string): void {
    const lines = text.split('\n').slice(0, Math.max(1, rowsOf(this.#terminal) - 1));
    this.clear();
    this.#terminal.write(`${lines.map((line) => cut(line, columnsOf(this.#terminal))).join('\n')}\n`);
    this.#lines = lines.length;
  }

  clear(): void {
    if (this.#lines === 0) return;
    moveCursor(this.#terminal, 0, -this.#lines);
    // A terminal may have echoed the ^C.
    cursorTo(this.#terminal, 0);
    clearScreenDown(this.#terminal);
    this.#lines = 0;
  }
}

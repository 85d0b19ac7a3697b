import { COLUMNS } from './text.ts';

/** A terminal as Node sees it. One that does not know its size reports 0, as under some CI runners and `script`. */
export interface TerminalSize {
  columns?: number;
  rows?: number;
}

const ROWS = 24;
/** On fewer columns, a cut line would show only the time: the terminal breaks long lines itself. */
const NARROW = 40;

export function columnsOf({ columns }: TerminalSize): number {
  return columns === undefined || columns < 1 ? COLUMNS : columns;
}

export function rowsOf({ rows }: TerminalSize): number {
  return rows === undefined || rows < 1 ? ROWS : rows;
}

/** The column at which lines are cut, or broken between words; undefined: they are not, as in a pipe. */
export function lineColumns(stream: TerminalSize & { isTTY?: boolean }): number | undefined {
  return stream.isTTY === true && columnsOf(stream) >= NARROW ? columnsOf(stream) : undefined;
}

/** Whether a list of steps can be redrawn there: listr2 prints nothing on 0 rows, and a letter a line on few columns. */
export function fitsLiveList({ columns = 0, rows = 0 }: TerminalSize): boolean {
  return columns >= NARROW && rows > 0;
}

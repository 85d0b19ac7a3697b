import { homedir } from 'node:os';
import stringWidth from 'string-width';

/** Columns that every report fits. */
export const COLUMNS = 80;

/**
 * Breaks a text between words, so that each line fits; a word that is longer than a line (a path, a command) stays whole.
 *
 * @param first what stands before the first line
 * @param rest what stands before the others; left out: as many spaces as `first` is wide
 */
export function wrap(
  text: string,
  first = '',
  rest = ' '.repeat(stringWidth(first)),
  columns = COLUMNS,
): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (!empty && stringWidth(line) + 1 + stringWidth(word) > columns) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** The beginning of a text, with an ellipsis where it is longer than `columns`. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let shown = text.slice(0, columns);
  while (stringWidth(shown) >= columns) shown = shown.slice(0, -1);
  return `${shown}…`;
}

/** A path as people say it: `~/projects/x`. */
export function tilde(path: string, home = homedir()): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

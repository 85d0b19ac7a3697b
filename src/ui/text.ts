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

/** A path as people say it: `~/projects/x`. */
export function tilde(path: string, home = homedir()): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

import { homedir } from 'node:os';
import stringWidth from 'fast-string-width';

/** Columns that every report fits. */
export const COLUMNS = 80;

/** `1,234,567`. Of a whole number; toLocaleString would take longer to get ready than a short command has. */
export function number(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 event`, `1,234 events` */
export function count(amount: number, noun: string): string {
  return `${number(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}

/** What stays on one line: `25 ms`. */
const NUMBER_AND_UNIT = /(\d) ((?:ms|s|min|h|d|B|[kKMGT]i?B)\b)/g;

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
  const glued = text.replaceAll(NUMBER_AND_UNIT, '$1\u00a0$2');
  for (const part of glued.split(/[^\S\u00a0]+/).filter((part) => part !== '')) {
    const word = part.replaceAll('\u00a0', ' ');
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

// eslint-disable-next-line no-control-regex -- chalk's styles begin with ESC
const STYLE = /(\x1b\[[\d;]*m)/;

/** The line, cut so that it fits, with an ellipsis at its end. Styles that are open there are closed. */
export function cut(line: string, columns = COLUMNS): string {
  if (stringWidth(line) <= columns) return line;
  let room = columns - 1;
  return line
    .split(STYLE)
    .map((part) => {
      if (STYLE.test(part) || room < 0) return STYLE.test(part) ? part : '';
      let kept = '';
      for (const character of part) {
        const width = stringWidth(character);
        if (width > room) {
          room = -1;
          return `${kept}…`;
        }
        kept += character;
        room -= width;
      }
      return kept;
    })
    .join('');
}

/** A path as people say it: `~/projects/x`. */
export function tilde(path: string, home = homedir()): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/**
 * Rows in columns that are as wide as they need to be.
 *
 * @param right which columns stand to the right, as numbers do; from 0
 */
export function table(rows: readonly (readonly (string | number)[])[], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(String(row[column] ?? '')))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const gap = ' '.repeat((widths[column] ?? 0) - stringWidth(String(cell)));
        return right.includes(column) ? `${gap}${cell}` : `${cell}${gap}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

import { UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { LINE_FORMS, type LineReader } from './file-message.ts';
import { type LineFile, readLines } from '../records/index.ts';

export interface BadLine {
  line: number;
  /** What is wrong with it, for a sentence; left out: it is not an event. */
  fault?: string;
  reason: string;
}

export interface CheckedLines {
  /** How many lines there are. */
  lines: number;
  /** How many of them are events. */
  events: number;
  /** How many are neither that nor blank. */
  bad: number;
  /** The first of them. */
  firstBad: BadLine[];
}

/** So many bad lines are named; the others are counted. */
const NAMED = 10;

/** Reads all lines, from one on. */
export async function checkLines(
  file: LineFile,
  reader: LineReader,
  fromLine: number,
  signal: AbortSignal,
): Promise<CheckedLines> {
  const checked: CheckedLines = { lines: 0, events: 0, bad: 0, firstBad: [] };
  for await (const { first, lines } of readLines(file, signal)) {
    for (const [index, bytes] of lines.entries()) {
      checked.lines += 1;
      const line = first + index;
      const read = line < fromLine ? undefined : reader.read(bytes);
      if (read?.ok === true) checked.events += 1;
      else if (read !== undefined) {
        checked.bad += 1;
        if (checked.bad <= NAMED) checked.firstBad.push({ line, reason: read.reason });
      }
    }
    if (signal.aborted) break;
  }
  return checked;
}

/** @param said what that means for those that are events */
export function badLineError(
  file: LineFile,
  { line, reason }: BadLine,
  said: string,
  next: string[],
): UserError {
  return new UserError(`a line of ${file.shown} is not an event: ${reason}`, {
    why: `${said}\n${LINE_FORMS}`,
    next,
    place: { file: file.shown, line },
  });
}

/** For lines that were all checked before anything was published. */
export function badLinesError(file: LineFile, { bad, events, firstBad }: CheckedLines): UserError {
  const [only] = firstBad;
  const isNone = events === 0;
  const next = isNone ? ['correct --file'] : [`hippo trigger --file ${shellWord(file.name)} --skip-bad`];
  if (bad === 1 && only !== undefined) return badLineError(file, only, 'Nothing was published.', next);
  const shown = firstBad.map(({ line, reason }) => `line ${line}: ${reason}`);
  const others = bad > shown.length ? [`and ${bad - shown.length} more`] : [];
  const said = isNone
    ? `none of the ${bad} lines of ${file.shown} is an event`
    : `${bad} lines of ${file.shown} are not events`;
  return new UserError(said, {
    why: [...shown, ...others, `Nothing was published. ${LINE_FORMS}`].join('\n'),
    next,
    place: { file: file.shown },
  });
}

/** All lines were skipped: what was asked for has not been done. */
export function nothingLeftError(file: LineFile, skipped: number): UserError {
  return new UserError(`${file.shown} has no event that can be published`, {
    why: `${skipped === 1 ? 'Its only line was' : `All its ${skipped} lines were`} skipped. Nothing was published. ${LINE_FORMS}`,
    next: ['correct --file'],
    place: { file: file.shown },
  });
}

import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UTF8_BOM, toUtf8Command, wideEncoding } from '../core/encoding.ts';
import { UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { shellWord } from '../core/shell.ts';

const MIB = 1024 * 1024;
const PIECE = MIB / 2;
/** A file without a newline in so many bytes is not a file of lines. */
const LONGEST_LINE = 16 * MIB;
const LARGEST_CONTENT = 64 * MIB;
/** A byte order mark of any encoding has at most so many bytes. */
const LONGEST_MARK = 4;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A file of lines, or standard input. */
export interface LineFile {
  /** As a person typed it; `-`: standard input. */
  name: string;
  /** As errors show it. */
  shown: string;
  /** Bytes; null where lines may still be coming: standard input, a pipe. */
  size: number | null;
  /** What was read of it before, whole. */
  content?: Buffer;
}

/** @throws UserError where it cannot be read */
export async function findLines(name: string): Promise<LineFile> {
  if (name === '-') return { name, shown: 'standard input', size: null };
  const handle = await openFile(name);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory())
      throw new UserError(`${name} is a folder, not a file of lines`, {
        next: ['correct the name of the file'],
      });
    return { name, shown: name, size: stats.isFile() ? stats.size : null };
  } finally {
    await handle.close();
  }
}

/**
 * The same lines, so that they can be read twice: what may still be coming is read to its end.
 *
 * @throws UserError where that is too much to be kept
 */
export async function rereadable(file: LineFile, signal: AbortSignal): Promise<LineFile> {
  if (file.size !== null) return file;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of readPieces(file, signal)) {
    pieces.push(Buffer.from(piece));
    size += piece.length;
    if (size > LARGEST_CONTENT) {
      throw new UserError(`${file.shown} is larger than ${LARGEST_CONTENT / MIB} MiB`, {
        why: 'It is read to its end before its events are published one after the other.',
        next: [`save it to a file, then hippo trigger --file FILE …`],
      });
    }
  }
  return { ...file, size, content: Buffer.concat(pieces) };
}

/** Lines that were read together. Valid until the next ones are asked for: their memory is used again. */
export interface LineBatch {
  /** The number of the first one, from 1. */
  first: number;
  /** Without their line ends. */
  lines: Buffer[];
  /** How far in the file this is. */
  bytes: number;
}

/** @param signal ends the reading of standard input, which may deliver nothing for ever */
export async function* readLines(file: LineFile, signal: AbortSignal): AsyncGenerator<LineBatch> {
  for await (const { first, memory, bounds, count, bytes } of readSpans(file, signal)) {
    const lines = Array.from({ length: count }, (_, index) =>
      memory.subarray(bounds[2 * index], bounds[2 * index + 1]),
    );
    yield { first, lines, bytes };
  }
}

/** The lines of a {@link LineBatch} as places in its memory, for readers that are too fast for one object per line. */
export interface LineSpans {
  /** The number of the first one, from 1. */
  first: number;
  count: number;
  memory: Buffer;
  /** Two numbers a line: where it starts, and where it ends without its line end. */
  bounds: Int32Array;
  /** How far in the file this is. */
  bytes: number;
}

/** {@link readLines} without an object a line. Valid until the next ones are asked for: all of it is used again. */
export async function* readSpans(file: LineFile, signal: AbortSignal): AsyncGenerator<LineSpans> {
  const spans: LineSpans = { first: 1, count: 0, memory: EMPTY, bounds: new Int32Array(4096), bytes: 0 };
  let rest = EMPTY;
  let start: Buffer | undefined = EMPTY;
  for await (const piece of readPieces(file, signal)) {
    if (start !== undefined)
      start = refuseWide(file, Buffer.concat([start, piece.subarray(0, LONGEST_MARK)]));
    spans.bytes += piece.length;
    let at = 0;
    if (rest.length > 0) {
      const end = piece.indexOf(NEWLINE);
      rest = Buffer.concat([rest, end === -1 ? piece : piece.subarray(0, end + 1)]);
      if (end !== -1) {
        findSpans(spans, rest, 0);
        yield spans;
        at = end + 1;
        rest = EMPTY;
      }
    }
    if (rest.length === 0) {
      const end = findSpans(spans, piece, at);
      if (spans.count > 0) yield spans;
      rest = Buffer.from(piece.subarray(end));
    }
    if (rest.length > LONGEST_LINE) {
      throw new UserError(`a line is longer than ${LONGEST_LINE / MIB} MiB`, {
        why: 'One line is one event.',
        place: { file: file.shown, line: spans.first + spans.count },
      });
    }
  }
  if (rest.length === 0) return;
  findSpans(spans, Buffer.concat([rest, Buffer.of(NEWLINE)]), 0);
  yield spans;
}

/**
 * @param start of the file
 * @returns the same, where more is needed to tell the encoding
 * @throws UserError where it is not UTF-8
 */
function refuseWide({ name, shown }: LineFile, start: Buffer): Buffer | undefined {
  const encoding = wideEncoding(start);
  if (encoding === undefined) return start.length < LONGEST_MARK ? start : undefined;
  throw new UserError(`${shown} is ${encoding}; it must be UTF-8`, {
    next: [name === '-' ? `iconv -f ${encoding} -t UTF-8` : toUtf8Command(name, encoding)],
    place: { file: shown },
  });
}

/** A line may begin with a byte order mark: the first one of a file, and that of a file that was put behind another. */
function isMark(memory: Buffer, at: number): boolean {
  return memory[at] === UTF8_BOM[0] && memory[at + 1] === UTF8_BOM[1] && memory[at + 2] === UTF8_BOM[2];
}

/** Puts all whole lines from `from` on in the place of those before. @returns where what is left begins */
function findSpans(spans: LineSpans, memory: Buffer, from: number): number {
  spans.first += spans.count;
  spans.memory = memory;
  let { bounds } = spans;
  let at = from;
  let next = 0;
  for (let end; (end = memory.indexOf(NEWLINE, at)) !== -1; at = end + 1) {
    if (next === bounds.length) {
      const larger = new Int32Array(2 * bounds.length);
      larger.set(bounds);
      spans.bounds = bounds = larger;
    }
    bounds[next] = isMark(memory, at) ? at + UTF8_BOM.length : at;
    bounds[next + 1] = end > at && memory[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    next += 2;
  }
  spans.count = next / 2;
  return at;
}

async function* readPieces({ name, size, content }: LineFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  if (content !== undefined) {
    yield content;
    return;
  }
  if (name === '-') {
    yield* readInput(signal);
    return;
  }
  const handle = await openFile(name);
  const length = size === null ? PIECE : Math.min(PIECE, Math.max(size, 1));
  let [now, later] = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)];
  const read = (): Promise<Buffer> => {
    const reading = handle
      .read(now, 0, length, null)
      .then(({ buffer, bytesRead }) => buffer.subarray(0, bytesRead));
    // The error is reported when the result is awaited, which may be later.
    reading.catch(() => undefined);
    return reading;
  };
  // While a piece of a file is worked on, the next one is read. A pipe may have none for ever.
  const isPatient = size !== null;
  let reading = read();
  try {
    for (;;) {
      const piece = await reading;
      if (piece.length === 0) return;
      [now, later] = [later, now];
      if (isPatient) reading = read();
      yield piece;
      if (!isPatient) reading = read();
    }
  } finally {
    await reading.catch(() => undefined);
    await handle.close();
  }
}

async function* readInput(signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', stop);
  try {
    for await (const piece of process.stdin) yield piece as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function openFile(name: string): Promise<FileHandle> {
  try {
    return await open(name);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(missing ? `there is no file ${name}` : `${name} cannot be read`, {
      why: missing ? `It was looked for in ${dirname(resolve(name))}.` : fileReason(error),
      next: missing
        ? [
            'correct the name of the file',
            `or hippo tail frontier --from -1d --exit-at-end --json > ${shellWord(name)}    (saves a day's events)`,
          ]
        : [],
    });
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

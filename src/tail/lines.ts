import { type FileHandle, open } from 'node:fs/promises';
import { UserError, messageOf } from '../core/errors.ts';

const MIB = 1024 * 1024;
const PIECE = MIB / 2;
/** What has no newline for so long is no file of lines. Bytes. */
const LONGEST_LINE = 16 * MIB;
const LARGEST_CONTENT = 64 * MIB;
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
    if (stats.isDirectory()) throw new UserError(`${name} is a folder, not a file of lines`);
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

/** @param signal ends the reading of standard input, which may come to nothing for ever */
export async function* readLines(file: LineFile, signal: AbortSignal): AsyncGenerator<LineBatch> {
  let [first, bytes] = [1, 0];
  let rest = EMPTY;
  for await (const piece of readPieces(file, signal)) {
    const lines: Buffer[] = [];
    let at = 0;
    for (let end; (end = piece.indexOf(NEWLINE, at)) !== -1; at = end + 1) {
      const line = piece.subarray(at, end);
      lines.push(withoutReturn(rest.length === 0 ? line : Buffer.concat([rest, line])));
      rest = EMPTY;
    }
    if (at < piece.length) rest = Buffer.concat([rest, piece.subarray(at)]);
    if (rest.length > LONGEST_LINE) {
      throw new UserError(`a line is longer than ${LONGEST_LINE / MIB} MiB`, {
        why: 'One line is one event.',
        place: { file: file.shown, line: first + lines.length },
      });
    }
    bytes += piece.length;
    yield { first, lines, bytes };
    first += lines.length;
  }
  if (rest.length > 0) yield { first, lines: [withoutReturn(rest)], bytes };
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
  try {
    const memory = Buffer.allocUnsafe(size === null ? PIECE : Math.min(PIECE, Math.max(size, 1)));
    for (;;) {
      const { bytesRead } = await handle.read(memory, 0, memory.length, null);
      if (bytesRead === 0) return;
      yield memory.subarray(0, bytesRead);
    }
  } finally {
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
      ...(missing ? {} : { why: messageOf(error) }),
      next: missing ? ['hippo tail frontier --from -1d --exit-at-end --json > events.jsonl'] : [],
    });
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

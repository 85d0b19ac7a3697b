/**
 * Keeps the log of an attempt below a size. The job has the file open for appending, so that what it prints survives the client:
 * nothing stands between the two. So the middle of the file is removed in place: the tail is copied forward to the end of the
 * head, and the file is cut off behind it. The job appends to the new end.
 *
 * What the job appends while the tail is copied is copied too, as long as the copy keeps up. What comes after the last look
 * at the file's size and before it is cut off is lost: nothing of a job that prints less than some megabytes a second, and some
 * of what `yes` prints. It counts among the bytes that were removed, as far as it can be seen.
 */
import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** Of the limit, so much of the beginning and of the end is kept. The rest is room until the next cut. */
const KEPT = 1 / 4;
const CHUNK = 1024 * 1024;
/** A line that is longer is cut. */
const LONGEST_LINE = 64 * 1024;
/** So often the copy follows what the job appends meanwhile. */
const ROUNDS = 4;
const NEWLINE = 0x0a;

/** The end of the head, where the marker begins, and what is missing after it. */
interface Cut {
  at: number;
  /** Whether the head ends with a whole line. */
  isWhole: boolean;
  removed: number;
}

/** The line between head and tail. It is written over with each cut, so its length is always the same. */
function markerOf({ isWhole, removed }: Cut): Buffer {
  const text = `hippo: ${removed} bytes of this log were removed here, because it reached logs.attempt_size`;
  return Buffer.from(`${isWhole ? '' : '\n'}${text.padEnd(100)}\n`);
}

export class LogCutter {
  readonly #path: string;
  readonly #limit: number;
  #cut: Cut | null = null;

  /** @param limit bytes; at least 8 kB */
  constructor(path: string, limit: number) {
    this.#path = path;
    this.#limit = limit;
  }

  /**
   * Looks at the log, and cuts it if it is larger than the limit. A log that does not exist is not.
   *
   * @returns whether it was cut
   * @throws Error when it cannot be written
   */
  async look(): Promise<boolean> {
    if ((await sizeOf(this.#path)) <= this.#limit) return false;
    const file = await open(this.#path, 'r+');
    try {
      await this.#shorten(file);
      return true;
    } finally {
      await file.close();
    }
  }

  async #shorten(file: FileHandle): Promise<void> {
    const kept = Math.floor(this.#limit * KEPT);
    const known = this.#cut ?? (await headOf(file, kept));
    const { length } = markerOf(known);
    const { size } = await file.stat();
    const from = await lineStart(file, size - kept, kept);
    const copy = new Copy(file, { from, to: known.at + length });
    await copy.follow();
    const lost = copy.finish();
    const skipped = from - known.at - (this.#cut === null ? 0 : length);
    this.#cut = { ...known, removed: known.removed + skipped + lost };
    writeSync(file.fd, markerOf(this.#cut), 0, length, known.at);
  }
}

/** Copies the end of a growing file forward, and cuts the file off behind the copy. */
class Copy {
  readonly #file: FileHandle;
  readonly #by: number;
  /** All up to here has been copied. */
  #read: number;

  constructor(file: FileHandle, { from, to }: { from: number; to: number }) {
    this.#file = file;
    this.#by = from - to;
    this.#read = from;
  }

  /** Copies what is there, and what comes meanwhile. */
  async follow(): Promise<void> {
    const chunk = Buffer.alloc(CHUNK);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { size } = await this.#file.stat();
      while (this.#read < size) {
        const wanted = Math.min(chunk.length, size - this.#read);
        const { bytesRead } = await this.#file.read(chunk, 0, wanted, this.#read);
        if (bytesRead === 0) return;
        await this.#file.write(chunk, 0, bytesRead, this.#read - this.#by);
        this.#read += bytesRead;
      }
    }
  }

  /**
   * Copies the last bytes without giving the process another turn in between, so that little comes after them, and cuts the file
   * off.
   *
   * @returns how many bytes the cut has removed that were not copied
   */
  finish(): number {
    const { fd } = this.#file;
    const chunk = Buffer.alloc(LONGEST_LINE);
    let { size } = fstatSync(fd);
    for (let round = 1; round <= ROUNDS && this.#read < size; round += 1) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, size - this.#read), this.#read);
      writeSync(fd, chunk, 0, read, this.#read - this.#by);
      this.#read += read;
      ({ size } = fstatSync(fd));
    }
    ftruncateSync(fd, this.#read - this.#by);
    return size - this.#read;
  }
}

/** The head: up to its last whole line, or `most` bytes where it has none. */
async function headOf(file: FileHandle, most: number): Promise<Cut> {
  const window = Math.min(LONGEST_LINE, most);
  const from = most - window;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(window), 0, window, from);
  const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
  return end === 0 ? { at: most, isWhole: false, removed: 0 } : { at: from + end, isWhole: true, removed: 0 };
}

/** The beginning of the first line from `from` on; `from` itself where the line is too long for a tail of `kept` bytes. */
async function lineStart(file: FileHandle, from: number, kept: number): Promise<number> {
  const window = Math.min(LONGEST_LINE, Math.floor(kept / 2));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(window), 0, window, from);
  return from + buffer.subarray(0, bytesRead).indexOf(NEWLINE) + 1;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** What a service prints: into a file that is rotated, and its last lines kept for notices. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, basename, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import { type RotatingFileStream, createStream } from 'rotating-file-stream';
import { PROJECT_STATE_DIRECTORY } from '../../../core/paths.ts';
import { messageOf } from '../../../core/errors.ts';
import { lastLines } from '../attempt-log.ts';
import { fileSafe } from '../file-names.ts';

/** A file is closed at this size; so many are kept beside the present one: `….log.1` is the newest of them. */
const ROTATION = { size: '10M', rotate: 5 } as const;
/** Of clients that are gone, the logs of so many are kept. */
const KEPT_OF_OTHERS = 5;
const TAIL_BYTES = 4096;
/** A longer line is looked at up to here: an expression may take long. */
const LONGEST_LINE = 1_000;

/** `.hippo/logs/<service>/<pid of the client>.log`: two clients of one folder do not share a file. */
export function serviceLogPath(directory: string, service: string): string {
  const folder = join(directory, PROJECT_STATE_DIRECTORY, 'logs', fileSafe(service));
  return join(folder, `${process.pid}.log`);
}

/** Removes the oldest logs of former clients. */
export function pruneLogs(path: string): void {
  const folder = dirname(path);
  const own = basename(path);
  try {
    const others = readdirSync(folder)
      .filter((name) => /^\d+\.log$/.test(name) && name !== own)
      .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at);
    for (const { name } of others.slice(KEPT_OF_OTHERS)) {
      for (const file of readdirSync(folder))
        if (file === name || file.startsWith(`${name}.`)) rmSync(join(folder, file), { force: true });
    }
  } catch {
    // There is no such folder yet, or another client removes the same.
  }
}

export interface ServiceLogOptions {
  /** Told once: the file cannot be written. The service goes on. */
  onFailure: (why: string) => void;
  /** Each whole line that it prints. */
  onLine?: (line: string) => void;
}

/** Takes all in, also when the file cannot be written. */
export class ServiceLog extends Writable {
  readonly path: string;
  readonly #options: ServiceLogOptions;
  #decoder = new StringDecoder('utf8');
  #file: RotatingFileStream | null = null;
  #hasFailed = false;
  #isSaid = false;
  #tail = '';
  #isCut = false;
  #line = '';

  constructor(path: string, options: ServiceLogOptions) {
    super();
    this.path = path;
    this.#options = options;
  }

  /** The last lines since {@link mark}, at most 20 and 4 kB, without control characters. */
  get lastLines(): string {
    return lastLines(this.#tail, this.#isCut);
  }

  /** A new process begins: writes a line of the client. */
  mark(text: string): void {
    // A disk that was full may have room again.
    if (this.#hasFailed) this.#file = null;
    this.#hasFailed = false;
    this.#opened()?.write(`hippo: ${text}\n`);
    this.#tail = '';
    this.#isCut = false;
    // What a former process had begun to print is no part of the next one's first line.
    this.#line = '';
    this.#decoder = new StringDecoder('utf8');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#keep(this.#decoder.write(chunk));
    const file = this.#hasFailed ? null : this.#opened();
    if (file === null) done();
    else file.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    if (this.#file === null) done();
    else this.#file.end(() => done());
  }

  #keep(text: string): void {
    const all = this.#tail + text;
    this.#isCut ||= all.length > TAIL_BYTES;
    this.#tail = all.slice(-TAIL_BYTES);
    const { onLine } = this.#options;
    if (onLine === undefined) return;
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(-TAIL_BYTES);
    for (const line of lines) onLine(line.replace(/\r$/, '').slice(0, LONGEST_LINE));
  }

  #opened(): RotatingFileStream | null {
    if (this.#file !== null) return this.#file;
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      const file = createStream(basename(this.path), { path: dirname(this.path), mode: 0o600, ...ROTATION });
      file.on('error', (error) => this.#failed(error));
      file.on('warning', (error) => this.#failed(error));
      return (this.#file = file);
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #failed(error: unknown): void {
    if (!this.#isSaid) this.#options.onFailure(messageOf(error));
    this.#isSaid = true;
    this.#hasFailed = true;
  }
}

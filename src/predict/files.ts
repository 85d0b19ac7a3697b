/** Reads the files of a version, and checks that they are what its manifest says. */
import { createHash } from 'node:crypto';
import { Retry } from '../core/deadline.ts';
import { formatSize } from '../core/size.ts';
import { Flaw, ModelAway } from './errors.ts';
import { MANIFEST, type Manifest } from './manifest.ts';
import type { Pace } from './pace.ts';
import { type OpenFile, TryAgain, type VersionFolder } from './places/place.ts';

/** So often is a file read from its beginning, where the connection breaks. */
const TRIES = 4;
const BETWEEN_TRIES = { first: 200, most: 2_000 };
/** Bytes. */
const LARGEST_MANIFEST = 16 * 2 ** 20;
/** So many bytes are hashed at once: it takes less than a millisecond. */
const HASHED = 256 * 1024;

/** What a file must be. */
export interface FilePrint {
  /** The size. */
  readonly bytes: number;
  /** Of the content, 64 hex digits. */
  readonly sha256: string;
}

export class VersionFiles {
  readonly #folder: VersionFolder;
  readonly #signal: AbortSignal;
  readonly #pace: Pace;

  constructor(folder: VersionFolder, signal: AbortSignal, pace: Pace) {
    this.#folder = folder;
    this.#signal = signal;
    this.#pace = pace;
  }

  /**
   * @param sha256 what the manifest must have; undefined: anything
   * @throws Flaw, ModelAway
   */
  async manifest(sha256: string | undefined): Promise<string> {
    const bytes = await this.#try(MANIFEST, (file) => this.#all(file));
    if (bytes === null)
      throw new Flaw(MANIFEST, 'there is no such file: the version was removed, or is not complete', {});
    if (sha256 !== undefined) requireHash(MANIFEST, hashOf([bytes]), sha256, 'its builder has told');
    return bytes.toString('utf8');
  }

  /**
   * A file that the manifest lists.
   *
   * @param bytes what the size must be; undefined: anything
   * @returns in memory of its own
   * @throws Flaw, ModelAway
   */
  async read(name: string, { files }: Manifest, bytes?: number): Promise<ArrayBuffer> {
    const print = Object.hasOwn(files, name) ? files[name] : undefined;
    if (print === undefined) throw new Flaw(MANIFEST, `"files.${name}" is missing`, { key: `files.${name}` });
    if (bytes !== undefined && print.bytes !== bytes) throw sizeFlaw(name, print.bytes, bytes);
    const content = await this.#try(name, (file) => this.#checked(name, file, print));
    if (content === null) throw new Flaw(name, 'there is no such file, and the manifest lists it');
    return content;
  }

  /** @returns null: there is no such file */
  async #try<T>(name: string, read: (file: OpenFile) => Promise<T>): Promise<T | null> {
    const retry = new Retry(BETWEEN_TRIES);
    for (let tries = 1; ; tries += 1) {
      try {
        const file = await this.#folder.open(name, this.#signal);
        return file === null ? null : await read(file);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof TryAgain)) throw error;
        if (tries === TRIES)
          throw new ModelAway(`${this.#folder.pathOf(name)} cannot be read`, {
            why: error.message,
            cause: error,
          });
      }
      await retry.pause(this.#signal);
      this.#signal.throwIfAborted();
    }
  }

  /** Of a file whose size is not known before. */
  async #all({ bytes, chunks, close }: OpenFile): Promise<Buffer> {
    const tooLarge = new Flaw(MANIFEST, `it is larger than ${formatSize(LARGEST_MANIFEST)}`);
    if (bytes !== undefined && bytes > LARGEST_MANIFEST) {
      close();
      throw tooLarge;
    }
    const parts: Buffer[] = [];
    let length = 0;
    for await (const chunk of chunks) {
      parts.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > LARGEST_MANIFEST) throw tooLarge;
    }
    return Buffer.concat(parts);
  }

  async #checked(name: string, { bytes, chunks, close }: OpenFile, print: FilePrint): Promise<ArrayBuffer> {
    if (bytes !== undefined && bytes !== print.bytes) {
      close();
      throw sizeFlaw(name, bytes, print.bytes);
    }
    const target = memory(name, print.bytes);
    const hash = createHash('sha256');
    let at = 0;
    for await (const chunk of chunks) {
      if (at + chunk.length > print.bytes) throw sizeFlaw(name, `more than ${print.bytes}`, print.bytes);
      target.set(chunk, at);
      at += chunk.length;
      for (let from = 0; from < chunk.length; from += HASHED) {
        hash.update(chunk.subarray(from, from + HASHED));
        await this.#pace.breathe();
      }
    }
    if (at !== print.bytes) throw sizeFlaw(name, at, print.bytes);
    requireHash(name, hash.digest('hex'), print.sha256, 'manifest.json says');
    return target.buffer;
  }
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** @param says who says so */
function requireHash(file: string, found: string, expected: string, says: string): void {
  if (found !== expected)
    throw new Flaw(file, `its SHA-256 is ${found}, and ${says} ${expected}: it was changed or damaged`);
}

function sizeFlaw(file: string, found: number | string, expected: number): Flaw {
  return new Flaw(file, `it has ${found} bytes, and must have ${expected}`);
}

function memory(file: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(new ArrayBuffer(bytes));
  } catch (error) {
    throw new ModelAway(`there is no memory for the ${formatSize(bytes)} of ${file}`, { cause: error });
  }
}

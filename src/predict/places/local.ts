/** A version in a folder of this machine, or of a mount. */
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Millis } from '../../core/clock.ts';
import { within } from '../../core/deadline.ts';
import { formatDuration } from '../../core/duration.ts';
import { fileReason } from '../../core/file-reason.ts';
import { look } from '../../core/looks.ts';
import { Flaw, ModelAway } from '../errors.ts';
import { type OpenFile, SILENCE, type VersionFolder } from './place.ts';

/** Bytes of one read. */
const CHUNK = 256 * 1024;

export class LocalFolder implements VersionFolder {
  readonly #location: string;
  readonly #folder: string;
  readonly #silence: Millis;

  /**
   * @param location the folder of all versions
   * @param silence how long one call of the file system may take: a hung mount never answers
   */
  constructor(location: string, version: string, silence: Millis = SILENCE) {
    this.#location = location;
    this.#folder = join(location, version);
    this.#silence = silence;
  }

  pathOf(file: string): string {
    return join(this.#folder, file);
  }

  async open(file: string, signal: AbortSignal): Promise<OpenFile | null> {
    const path = this.pathOf(file);
    const handle = await this.#ask(path, signal, async () => {
      await this.#requireInside(file);
      return open(path, 'r');
    });
    if (handle !== null) return this.#read(path, handle, signal);
    // Nothing may be mounted: that says nothing about the version.
    const location = await this.#ask(this.#location, signal, () => realpath(this.#location));
    if (location === null) throw away(this.#location, 'there is no such folder: check that it is mounted');
    return null;
  }

  close(): void {
    // Each file is closed by itself.
  }

  async #read(path: string, handle: FileHandle, signal: AbortSignal): Promise<OpenFile> {
    try {
      const stat = await this.#ask(path, signal, () => handle.stat());
      if (stat?.isFile() !== true) throw away(path, 'it is not a file');
      return { bytes: stat.size, chunks: this.#chunks(path, handle, signal), close: () => close(handle) };
    } catch (error) {
      close(handle);
      throw error;
    }
  }

  async *#chunks(path: string, handle: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      for (;;) {
        const read = await this.#ask(path, signal, () => handle.read(buffer, 0, CHUNK));
        if (read === null || read.bytesRead === 0) return;
        yield buffer.subarray(0, read.bytesRead);
      }
    } finally {
      close(handle);
    }
  }

  /** A link must not lead out of the version: what another user may write must not name the files that are read. */
  async #requireInside(file: string): Promise<void> {
    const [folder, target] = await Promise.all([realpath(this.#folder), realpath(this.pathOf(file))]);
    if (!target.startsWith(`${folder}${sep}`))
      throw new Flaw(file, `it is a link to ${target}, which is outside of the version's folder`);
  }

  /** @returns null: there is no such path */
  async #ask<T>(path: string, signal: AbortSignal, call: () => Promise<T>): Promise<T | null> {
    try {
      return await within(look(call), {
        millis: this.#silence,
        signal,
        late: () => {
          throw away(path, `the file system has not answered within ${formatDuration(this.#silence)}`);
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ModelAway || error instanceof Flaw) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw away(path, fileReason(error), error);
    }
  }
}

/** Without waiting: a hung mount does not answer. */
function close(handle: FileHandle): void {
  look(() => handle.close()).catch(() => undefined);
}

function away(path: string, why: string, cause?: unknown): ModelAway {
  return new ModelAway(`${path} cannot be read`, { why, cause });
}

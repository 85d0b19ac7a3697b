/** A wall clock that the crash test can move: libfaketime, in the client and in its jobs. Steady clocks stay as they are. */
import { glob, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canInstall, install } from '../support/apt.ts';

const LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1';

/** @returns the library; null where it is not there and cannot be installed */
export async function findFaketime(): Promise<string | null> {
  const found = await firstOf(LIBRARY);
  if (found !== null) return found;
  if (!canInstall()) return null;
  install(['faketime']);
  return firstOf(LIBRARY);
}

async function firstOf(pattern: string): Promise<string | null> {
  for await (const file of glob(pattern)) return file;
  return null;
}

/** The clock of one hippo's clients. */
export class MovableClock {
  /** What a process needs in its environment to go by this clock. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: string;

  /** @param library libfaketime @param directory where the clock's file may lie */
  constructor(library: string, directory: string) {
    this.#file = join(directory, 'clock');
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** @param offset from the machine's clock, as libfaketime takes it: `+50m`, `-5h` */
  async set(offset: string): Promise<void> {
    await writeFile(this.#file, `${offset}\n`);
  }
}

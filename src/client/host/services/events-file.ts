/**
 * `$HIPPO_EVENTS_FILE`: lines of JSON by which a service announces tables. Each process of a service has a file of its own, which
 * is removed when all its lines are published and the process has ended.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, within } from '../../../core/deadline.ts';
import { type TableAnnouncement, parseAnnouncement } from '../../../messages/index.ts';
import { fingerprintOf } from '../../../state/index.ts';
import type { ToldEvent } from '../../machine/index.ts';

/** How often the file is looked at, milliseconds. */
const LOOK = 250;
/** Before what could not be told is told again, milliseconds. */
const AGAIN = 1_000;
/** An answer that has not come after so long does not come, milliseconds. */
const UNANSWERED = 300_000;
/** So many bytes are read at once. */
const CHUNK = 64 * 1024;
/** So many events go into one step. */
const IN_A_STEP = 200;
/** So many lines that are no events are told, each with its number. */
const REFUSED_TOLD = 20;
/** A longer line is not an event. */
const LONGEST_LINE = 1_048_576;

const ENDING = '.jsonl';

export interface EventsOptions {
  /** Resolves when the events are published, or were known; rejects when they could not be written. */
  tell: (events: readonly ToldEvent[]) => Promise<void>;
  /** Of lines that are no events: `line 3: table is missing`. So many are told, and then how many more there are. */
  onRefused: (text: string) => void;
}

/** Makes an empty file for a process that is about to start. */
export function newEventsFile(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${Date.now()}-${process.pid}${ENDING}`);
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  return path;
}

/** The files that earlier processes left, the oldest first. */
export function leftEventsFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ENDING))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/**
 * Tells the lines of a file as they come; after `ended`, what is left of it. Then the file is removed.
 *
 * @param ended aborted when no process writes to it any more
 * @param stop aborted when nothing more can be published: the file stays as it is
 */
export async function followEvents(
  path: string,
  options: EventsOptions,
  ended: AbortSignal,
  stop: AbortSignal,
): Promise<void> {
  const refusals = new Refusals(options.onRefused);
  const lines = new Lines((line, reason) => refusals.add(line, reason));
  let file = await open(path, 'r');
  try {
    for (;;) {
      // What was written before the end is seen by a read that begins after it.
      const isLast = ended.aborted;
      if (await isReplaced(file, path, lines.position)) {
        options.onRefused('the file was made anew; it is read from its beginning');
        await file.close();
        file = await open(path, 'r');
        lines.restart();
      }
      await readOn(file, lines);
      if (isLast) {
        lines.end();
        refusals.end();
      }
      while (lines.events.length > 0 && !stop.aborted) await tellSome(lines.events, options, stop);
      if (isLast) break;
      await pause(LOOK, ended);
    }
  } finally {
    await file.close();
  }
  // What is left is published before the service starts again here.
  if (lines.events.length === 0) rmSync(path, { force: true });
}

/** Whether the file was cut, or another one has its name. One that is gone is read on: it has all that was written to it. */
async function isReplaced(file: FileHandle, path: string, position: number): Promise<boolean> {
  const own = await file.stat();
  if (own.size < position) return true;
  const named = await stat(path).catch(() => null);
  return named !== null && named.ino !== own.ino;
}

/** All events of a file that is not written to any more, and its lines that are none. */
export function readEvents(
  bytes: Buffer,
  onRefused: (line: number, reason: string) => void,
): readonly ToldEvent[] {
  const lines = new Lines(onRefused);
  lines.take(bytes);
  lines.end();
  return lines.events;
}

/** Takes out of the list what is published. Does not wait for an answer when it is to stop: the owner may take nothing in any more. */
async function tellSome(events: ToldEvent[], { tell }: EventsOptions, stop: AbortSignal): Promise<void> {
  const some = events.slice(0, IN_A_STEP);
  try {
    await within(tell(some), { millis: UNANSWERED, late: unanswered, signal: stop });
    events.splice(0, some.length);
  } catch {
    // Kafka is away, or this client does not own the hippo for now.
    await pause(AGAIN, stop);
  }
}

async function readOn(file: FileHandle, lines: Lines): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, lines.position);
    if (bytesRead === 0) return;
    lines.take(chunk.subarray(0, bytesRead));
  }
}

/** Turns bytes into events, line by line. */
class Lines {
  readonly events: ToldEvent[] = [];
  position = 0;
  readonly #onRefused: (line: number, reason: string) => void;
  #rest: Buffer = Buffer.alloc(0);
  #number = 0;
  #isTooLong = false;

  /** @param onRefused told of every line that is no event */
  constructor(onRefused: (line: number, reason: string) => void) {
    this.#onRefused = onRefused;
  }

  take(bytes: Buffer): void {
    this.position += bytes.length;
    let all = Buffer.concat([this.#rest, bytes]);
    for (let end = all.indexOf(0x0a); end !== -1; end = all.indexOf(0x0a)) {
      this.#line(all.subarray(0, end));
      all = all.subarray(end + 1);
    }
    if (all.length > LONGEST_LINE) {
      this.#isTooLong = true;
      all = Buffer.alloc(0);
    }
    this.#rest = Buffer.from(all);
  }

  /** The file begins anew. */
  restart(): void {
    this.position = 0;
    this.#number = 0;
    this.#rest = Buffer.alloc(0);
    this.#isTooLong = false;
  }

  /** The process has ended: a last line without a line break is whole, or it was cut. */
  end(): void {
    if (this.#rest.length > 0 || this.#isTooLong) this.#line(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  #line(bytes: Buffer): void {
    this.#number += 1;
    if (this.#isTooLong) {
      this.#isTooLong = false;
      this.#onRefused(this.#number, `the line has more than ${LONGEST_LINE} bytes`);
      return;
    }
    if (bytes.toString().trim() === '') return;
    const parsed = parseAnnouncement(bytes);
    if (!parsed.ok) {
      const { key, reason } = parsed.rejection;
      this.#onRefused(this.#number, key === undefined ? reason : `${key} ${reason}`);
      return;
    }
    const { landedAt, ...event } = parsed.message;
    this.events.push({
      ...event,
      landedAt: landedAt === undefined ? Date.now() : landedAt * 1000,
      fingerprint: fingerprintOf(contentOf(parsed.message)),
    });
  }
}

/** Tells of the first ones, and how many more there are. */
class Refusals {
  readonly #tell: EventsOptions['onRefused'];
  #count = 0;

  constructor(tell: EventsOptions['onRefused']) {
    this.#tell = tell;
  }

  add(line: number, reason: string): void {
    this.#count += 1;
    if (this.#count <= REFUSED_TOLD) this.#tell(`line ${line}: ${reason}`);
  }

  end(): void {
    if (this.#count > REFUSED_TOLD) this.#tell(`${this.#count - REFUSED_TOLD} more lines`);
  }
}

/** The same for the same content, in whichever order its fields stand. When it landed is no part of it: it may be the time of a repetition. */
function contentOf({ extra, id: _, landedAt: __, ...event }: TableAnnouncement): string {
  return JSON.stringify([event, Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function unanswered(): never {
  throw new Error('no answer');
}

import type { Headers } from '../kafka/port.ts';
import { parseFrontier } from '../messages/index.ts';
import { readLine } from '../records/index.ts';
import { EventScanner } from './event-scanner.ts';

/** What a line gives to publish. */
export interface FileMessage {
  key: Buffer | null;
  value: Buffer | null;
  /** An envelope's own; undefined for a bare event. */
  headers: Headers | undefined;
}

export type FileLine = { ok: true; message: FileMessage } | { ok: false; reason: string };

/** What a line may be, for error messages. */
export const LINE_FORMS =
  'A line is a frontier event ({"db":"btd","table":"party",…}), or what hippo tail --json or kcat -J prints.';

/**
 * Reads the lines of a file of events. An envelope of `hippo tail --json` is published again byte for byte; any other line
 * is a frontier event, whose key is its table.
 */
export class LineReader {
  readonly #scanner = new EventScanner();
  /** Of events that had to be parsed, by `db.table`. */
  readonly #keys = new Map<string, Buffer>();
  readonly #foreign: ReadonlyMap<string, string>;

  /** @param foreign topics of hippo.yaml that carry no events, and what they carry: their messages are refused */
  constructor(foreign: ReadonlyMap<string, string>) {
    this.#foreign = foreign;
  }

  /** The tables of the bare events that were read, each as `db.table`. */
  tables(): Set<string> {
    return new Set([...this.#scanner.keys(), ...this.#keys.values()].map(String));
  }

  /**
   * The key of an event in a usual form, which is most of them: its value is the line as it stands.
   *
   * @param bytes memory that holds the line, and more
   * @returns the same object for the same table; undefined: {@link read} tells what it is
   */
  keyOf(bytes: Uint8Array, from: number, to: number): Buffer | undefined {
    return this.#scanner.scan(bytes, from, to);
  }

  /** @returns undefined for a blank line */
  read(line: Buffer): FileLine | undefined {
    const usual = this.#scanner.scan(line);
    if (usual !== undefined) return { ok: true, message: { key: usual, value: line, headers: undefined } };
    if (line.toString('latin1').trim() === '') return undefined;
    const read = readLine(line);
    if (!read.ok) return read;
    if (read.input.kind === 'envelope') {
      const { topic, key, value, headers } = read.input;
      const what = this.#foreign.get(topic);
      return what === undefined
        ? { ok: true, message: { key, value, headers } }
        : { ok: false, reason: `is from ${topic}, which carries ${what}` };
    }
    const parsed = parseFrontier(line);
    if (parsed.ok) {
      const { db, table } = parsed.message;
      return { ok: true, message: { key: this.#keyOf(`${db}.${table}`), value: line, headers: undefined } };
    }
    const { reason, key } = parsed.rejection;
    return { ok: false, reason: key === undefined ? reason : `${key} ${reason}` };
  }

  #keyOf(table: string): Buffer {
    let key = this.#keys.get(table);
    if (key === undefined) this.#keys.set(table, (key = Buffer.from(table)));
    return key;
  }
}

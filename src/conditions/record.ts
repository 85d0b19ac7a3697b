/** What a condition sees of a record. Without the library that judges conditions, so that it costs nothing where there are none. */
import { parseNative } from '../core/json.ts';
import { type Headers, listHeaders } from '../core/headers.ts';

/** What a condition may name. */
export interface ConditionFields {
  readonly topic: string;
  readonly partition: bigint;
  readonly offset: bigint;
  readonly timestamp: Date;
  /** Text; null where there is none. */
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON, else its text; null for a tombstone. Whole numbers beyond 2^53 are bigints. */
  readonly value: unknown;
}

/** A record of Kafka. */
export interface ReadableRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly headers: Headers;
  readonly value: Buffer | null;
}

/** The fields of a record; each is made only when it is asked for, since most conditions ask for few of them. */
export class RecordFields implements ConditionFields {
  readonly #record: ReadableRecord;
  readonly #parse: (value: Buffer | null) => unknown;
  #value: { parsed: unknown } | undefined;

  /** @param parse gives {@link ConditionFields.value} */
  constructor(record: ReadableRecord, parse = parseValue) {
    this.#record = record;
    this.#parse = parse;
  }

  get topic(): string {
    return this.#record.topic;
  }

  get partition(): bigint {
    return BigInt(this.#record.partition);
  }

  get offset(): bigint {
    return this.#record.offset;
  }

  get timestamp(): Date {
    return new Date(this.#record.timestamp);
  }

  get key(): string | null {
    return this.#record.key?.toString('utf8') ?? null;
  }

  get headers(): Record<string, string> {
    return Object.fromEntries(
      listHeaders(this.#record.headers).map(([name, value]) => [name, value?.toString('utf8') ?? '']),
    );
  }

  get value(): unknown {
    this.#value ??= { parsed: this.#parse(this.#record.value) };
    return this.#value.parsed;
  }
}

function parseValue(value: Buffer | null): unknown {
  if (value === null) return null;
  const text = value.toString();
  try {
    return parseNative(text).value;
  } catch {
    return text;
  }
}

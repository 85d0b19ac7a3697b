import {
  type Json,
  JsonNumber,
  type JsonObject,
  isDeeperThan,
  isJsonObject,
  parseJson,
} from '../core/json.ts';
import { binaryReason } from './binary.ts';
import type { Parsed } from './types.ts';

/** Kafka's default limit for a record (message.max.bytes), without its overhead. */
const MAX_BYTES = 1_048_576;
/** Deeper nesting is refused, because it would overflow the stack of recursive code. */
const MAX_DEPTH = 64;
/** For a name or a partition value: Hive's metastore stores no longer partition name. */
export const MAX_NAME_LENGTH = 767;
/** For free text of an operator: `by` and `reason`. */
export const MAX_NOTE_LENGTH = 2_000;
/** For all names and values of a partition together, because they become part of keys, records, variables and messages. */
export const MAX_PARTITION_LENGTH = 4_000;
const MAX_REASON_LENGTH = 200;

/** The reason of a rejection, thrown by a field's reader and caught by {@link parseWith}. It does not leave this folder. */
export class Refusal extends Error {
  readonly key: string | undefined;

  constructor(reason: string, key?: string) {
    super(reason);
    this.key = key;
  }
}

/**
 * Parses a message. Never throws: input that is not UTF-8, not a JSON object, too big, too deep or refused by `read`
 * becomes a rejection with a reason of one line.
 */
export function parseWith<T>(input: Uint8Array | string, read: (object: JsonObject) => T): Parsed<T> {
  try {
    return { ok: true, message: read(decodeObject(input)) };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    const reason = oneLine(thrown.message);
    return {
      ok: false,
      rejection: thrown.key === undefined ? { reason } : { reason, key: oneLine(thrown.key) },
    };
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeObject(input: Uint8Array | string): JsonObject {
  if (input.length > MAX_BYTES)
    throw new Refusal(`is ${input.length} bytes long; at most ${MAX_BYTES} are read`);
  const value = typeof input === 'string' ? readText(input) : readBytes(input);
  if (!isJsonObject(value)) throw new Refusal(`must be a JSON object, not ${typeName(value)}`);
  if (isDeeperThan(MAX_DEPTH, value)) throw new Refusal(`is nested more than ${MAX_DEPTH} levels deep`);
  return value;
}

function readBytes(bytes: Uint8Array): Json {
  let text: string | undefined;
  try {
    text = utf8.decode(bytes);
    return readText(text);
  } catch (error) {
    const reason = bytes.length === 0 ? undefined : binaryReason(bytes, text);
    if (reason !== undefined || text === undefined) throw new Refusal(reason ?? 'is not UTF-8');
    throw error;
  }
}

function readText(text: string): Json {
  if (text.trim() === '') throw new Refusal('is empty');
  try {
    return parseJson(text);
  } catch (error) {
    throw new Refusal(
      `is not JSON: ${withVisibleToken(error instanceof Error ? error.message : String(error))}`,
    );
  }
}

/** Names a character that prints as nothing, or as a blank, by its code point. */
function withVisibleToken(message: string): string {
  return message.replace(/^Unexpected token '([\p{C}\p{Z}])'/u, (_, token: string) => {
    const code = token.codePointAt(0) ?? 0;
    return `Unexpected token U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** Any value as one printable line, cut to a limit. */
function oneLine(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length <= MAX_REASON_LENGTH ? line : `${line.slice(0, MAX_REASON_LENGTH - 1).toWellFormed()}…`;
}

/** How a reason names the value that it found. */
export function typeName(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof JsonNumber) return 'a number';
  return { object: 'an object', string: 'text', number: 'a number', boolean: 'true or false' }[
    typeof value as 'object' | 'string' | 'number' | 'boolean'
  ];
}

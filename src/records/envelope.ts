import { isUtf8 } from 'node:buffer';
import { type Json, type JsonObject, isJsonObject, parseJson } from '../core/json.ts';
import { isList } from '../core/headers.ts';
import type { HeaderValue, Headers, KafkaRecord } from '../kafka/port.ts';
import type { Sink } from './sink.ts';

/**
 * A record as one line of JSON, lossless: `hippo tail --json` prints it and `hippo trigger --file` reads it.
 *
 *     {"topic":"frontier-adw","partition":0,"offset":"12","timestamp":1493394946000,
 *      "key":"btd.party","headers":{"traceparent":"00-…"},"value":"{\"table\":\"party\",…}"}
 *
 * Key, value and headers are text where their bytes are UTF-8, `{"base64":"…"}` where they are not, null where there are none;
 * a header whose name comes several times has a list of them.
 * The offset is decimal text, since it has 64 bit; the timestamp is epoch milliseconds, -1 where the broker has none.
 */
export interface Envelope {
  topic: string;
  partition: number;
  offset: string;
  timestamp: number;
  key: EnvelopeBytes;
  headers: Record<string, EnvelopeBytes | EnvelopeBytes[]>;
  value: EnvelopeBytes;
}
export type EnvelopeBytes = string | null | { base64: string };

/** Writes the line, its newline included. By hand, and bytes as bytes: a million of them take a second. */
export function printEnvelope(record: KafkaRecord, sink: Sink): void {
  const { topic, partition, offset, timestamp, key, headers, value } = record;
  sink.write(headOf(topic, partition));
  sink.writeNumber(offset);
  sink.write(TIMESTAMP);
  sink.writeNumber(timestamp);
  sink.write(KEY);
  printBytes(key, sink);
  sink.write(HEADERS);
  let comma = '';
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? null;
    sink.write(`${comma}${JSON.stringify(name)}:`);
    if (isList(value)) printList(value, sink);
    else printBytes(value, sink);
    comma = ',';
  }
  sink.write(VALUE);
  printBytes(value, sink);
  sink.write(END);
}

const TIMESTAMP = Buffer.from('","timestamp":');
const KEY = Buffer.from(',"key":');
const HEADERS = Buffer.from(',"headers":{');
const VALUE = Buffer.from('},"value":');
const END = Buffer.from('}\n');
const NULL = Buffer.from('null');

const heads = new Map<string, Buffer[]>();

/** What stands before the offset. */
function headOf(topic: string, partition: number): Buffer {
  let ofTopic = heads.get(topic);
  if (ofTopic === undefined) heads.set(topic, (ofTopic = []));
  return (ofTopic[partition] ??= Buffer.from(
    `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":"`,
  ));
}

function printBytes(bytes: Buffer | null, sink: Sink): void {
  if (bytes === null) sink.write(NULL);
  else if (isUtf8(bytes)) sink.writeJsonString(bytes);
  else sink.write(`{"base64":"${bytes.toString('base64')}"}`);
}

function printList(values: readonly (Buffer | null)[], sink: Sink): void {
  for (const [index, value] of values.entries()) {
    sink.write(index === 0 ? '[' : ',');
    printBytes(value, sink);
  }
  sink.write(']');
}

/** What a line of input holds: an envelope's own key, value and headers, or the bytes of a bare value. */
export type InputLine =
  | { kind: 'envelope'; topic: string; key: Buffer | null; value: Buffer | null; headers: Headers }
  | { kind: 'value'; value: Buffer };

/**
 * Reads a line as `hippo tail --json` prints it, or any other line as a value.
 *
 * @param line without its newline
 * @returns what it holds, or why it is an envelope that cannot be read back
 */
export function readLine(line: Buffer): { ok: true; input: InputLine } | { ok: false; reason: string } {
  const parsed = looksLikeEnvelope(line) ? parseObject(line) : undefined;
  if (parsed === undefined || !isEnvelopeLike(parsed))
    return { ok: true, input: { kind: 'value', value: line } };
  const read = readContent(parsed);
  return read.ok ? { ok: true, input: { kind: 'envelope', topic: parsed.topic, ...read.content } } : read;
}

type Content = Pick<KafkaRecord, 'key' | 'value' | 'headers'>;

function readContent(envelope: JsonObject): { ok: true; content: Content } | { ok: false; reason: string } {
  const key = toBytes(envelope['key'] ?? null);
  const value = toBytes(envelope['value'] ?? null);
  if (key === undefined || value === undefined) {
    return {
      ok: false,
      reason: `"${key === undefined ? 'key' : 'value'}" must be text, null or {"base64":"…"}`,
    };
  }
  const headers: [string, HeaderValue][] = [];
  for (const [name, text] of Object.entries(isJsonObject(envelope['headers']) ? envelope['headers'] : {})) {
    const bytes = Array.isArray(text) ? text.map(toBytes) : toBytes(text);
    if (!isHeaderValue(bytes)) {
      return {
        ok: false,
        reason: `header ${JSON.stringify(name)} must be text, null, {"base64":"…"}, or a list of them`,
      };
    }
    headers.push([name, bytes]);
  }
  return { ok: true, content: { key, value, headers: Object.fromEntries(headers) } };
}

function isHeaderValue(
  bytes: Buffer | null | undefined | (Buffer | null | undefined)[],
): bytes is Buffer | null | (Buffer | null)[] {
  return Array.isArray(bytes) ? !bytes.includes(undefined) : bytes !== undefined;
}

/** Cheap, so that a bare frontier message is not parsed twice. */
function looksLikeEnvelope(line: Buffer): boolean {
  return line[0] === 0x7b && line.includes('"offset"') && line.includes('"value"') && isUtf8(line);
}

function parseObject(line: Buffer): JsonObject | undefined {
  try {
    const parsed = parseJson(line.toString('utf8'));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isEnvelopeLike(parsed: JsonObject): parsed is JsonObject & { topic: string } {
  return (
    typeof parsed['topic'] === 'string' && 'partition' in parsed && 'offset' in parsed && 'value' in parsed
  );
}

/** undefined where it is none of the three forms. */
function toBytes(text: Json): Buffer | null | undefined {
  if (text === null) return null;
  if (typeof text === 'string') return Buffer.from(text, 'utf8');
  if (!isJsonObject(text) || typeof text['base64'] !== 'string') return undefined;
  const bytes = Buffer.from(text['base64'], 'base64');
  return bytes.toString('base64') === text['base64'] ? bytes : undefined;
}

/** Reads a line as `hippo tail --json` prints it, with the place and time of the record. */
export function readRecord(line: Buffer): { ok: true; record: KafkaRecord } | { ok: false; reason: string } {
  const parsed = (looksLikeEnvelope(line) ? parseObject(line) : undefined) ?? {};
  const { topic, partition, offset, timestamp } = parsed;
  if (
    typeof topic !== 'string' ||
    !Number.isSafeInteger(partition) ||
    typeof offset !== 'string' ||
    !/^\d{1,19}$/.test(offset) ||
    !Number.isSafeInteger(timestamp)
  ) {
    return { ok: false, reason: 'it is not a record as hippo tail --json prints it' };
  }
  const read = readContent(parsed);
  if (!read.ok) return read;
  const place = { topic, partition: Number(partition), offset: BigInt(offset), timestamp: Number(timestamp) };
  return { ok: true, record: { ...place, ...read.content } };
}

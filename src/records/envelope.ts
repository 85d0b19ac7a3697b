import { isUtf8 } from 'node:buffer';
import { type Json, type JsonObject, isJsonObject, nativeOf, parseJson } from '../core/json.ts';
import { isList } from '../core/headers.ts';
import { parseOffset } from '../core/record-ref.ts';
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

type Read<T> = ({ ok: true } & T) | { ok: false; reason: string };

/**
 * Reads a line as `hippo tail --json` or `kcat -J` prints it, or any other line as a value.
 *
 * @param line without its newline
 * @returns what it holds, or why it is an envelope that cannot be read back
 */
export function readLine(line: Buffer): Read<{ input: InputLine }> {
  const envelope = looksLikeEnvelope(line) ? parseEnvelope(line) : undefined;
  if (envelope === undefined || !isEnvelopeLike(envelope.fields))
    return { ok: true, input: { kind: 'value', value: line } };
  const { topic } = envelope.fields;
  const read = readContent(envelope);
  return read.ok ? { ok: true, input: { kind: 'envelope', topic, ...read.content } } : read;
}

/** Reads a line as `hippo tail --json` or `kcat -J` prints it, with the place and time of the record. */
export function readRecord(line: Buffer): Read<{ record: KafkaRecord }> {
  const envelope = parseEnvelope(line);
  if (envelope === undefined)
    return { ok: false, reason: 'it must be a JSON object, as hippo tail --json or kcat -J prints it' };
  const { form, fields } = envelope;
  const wrong = (name: string, wanted: string): Read<never> => ({
    ok: false,
    reason: `"${name}" must be ${wanted}; it is ${shown(fields[name])}`,
  });
  const { topic, partition, offset } = fields;
  if (typeof topic !== 'string') return wrong('topic', 'text');
  const partitionNumber = int64(partition);
  if (partitionNumber === undefined || partitionNumber < 0n) return wrong('partition', 'a whole number');
  const offsetNumber = parseOffset(offset) ?? int64(offset);
  if (offsetNumber === undefined || offsetNumber < 0n)
    return wrong('offset', form === 'kcat' ? 'a whole number' : 'a whole number as text');
  // kcat leaves it out where the broker has none.
  const [timeName, time] =
    form === 'kcat' ? (['ts', fields['ts'] ?? -1] as const) : (['timestamp', fields['timestamp']] as const);
  const timestamp = int64(time);
  if (timestamp === undefined) return wrong(timeName, 'epoch milliseconds (a number)');
  const read = readContent(envelope);
  if (!read.ok) return read;
  const place = {
    topic,
    partition: Number(partitionNumber),
    offset: offsetNumber,
    timestamp: Number(timestamp),
  };
  return { ok: true, record: { ...place, ...read.content } };
}

/** A line's fields; `kcat` writes the bytes of texts as they are, UTF-8 or not. */
interface ParsedEnvelope {
  form: 'hippo' | 'kcat';
  fields: JsonObject;
  encoding: 'utf8' | 'latin1';
}

/** Cheap, so that a bare frontier message is not parsed twice. */
function looksLikeEnvelope(line: Buffer): boolean {
  return (
    line[0] === 0x7b && line.includes('"offset"') && (line.includes('"value"') || line.includes('"payload"'))
  );
}

/** @returns undefined for a line that is not a JSON object */
function parseEnvelope(line: Buffer): ParsedEnvelope | undefined {
  const encoding = isUtf8(line) ? 'utf8' : 'latin1';
  try {
    const fields = parseJson(line.toString(encoding));
    if (!isJsonObject(fields)) return undefined;
    const form = 'payload' in fields && !('value' in fields) ? 'kcat' : 'hippo';
    return form === 'hippo' && encoding === 'latin1' ? undefined : { form, fields, encoding };
  } catch {
    return undefined;
  }
}

function isEnvelopeLike(fields: JsonObject): fields is JsonObject & { topic: string } {
  return (
    typeof fields['topic'] === 'string' &&
    'partition' in fields &&
    'offset' in fields &&
    ('value' in fields || 'payload' in fields)
  );
}

type Content = Pick<KafkaRecord, 'key' | 'value' | 'headers'>;

function readContent({ form, fields, encoding }: ParsedEnvelope): Read<{ content: Content }> {
  const valueName = form === 'kcat' ? 'payload' : 'value';
  const toBytes = form === 'kcat' ? (text: Json) => bytesOfKcat(text, encoding) : bytesOfHippo;
  const forms = form === 'kcat' ? 'text or null' : 'text, null or {"base64":"…"}';
  const contents = [];
  for (const name of ['key', valueName]) {
    const bytes = toBytes(fields[name] ?? null);
    if (bytes === undefined)
      return { ok: false, reason: `"${name}" must be ${forms}; it is ${shown(fields[name])}` };
    contents.push(bytes);
  }
  const [key = null, value = null] = contents;
  const headers: [string, HeaderValue][] = [];
  for (const [name, text] of headerEntries(fields['headers'] ?? {})) {
    const bytes = Array.isArray(text) ? text.map(toBytes) : toBytes(text);
    if (!isHeaderValue(bytes)) {
      const wanted = form === 'kcat' ? 'text or null' : 'text, null, {"base64":"…"}, or a list of them';
      return { ok: false, reason: `header ${JSON.stringify(name)} must be ${wanted}; it is ${shown(text)}` };
    }
    headers.push([encoding === 'latin1' ? Buffer.from(name, 'latin1').toString() : name, bytes]);
  }
  return { ok: true, content: { key, value, headers: Object.fromEntries(headers) } };
}

/** Headers by name; kcat lists names and values in turn. */
function headerEntries(headers: Json): [name: string, value: Json][] {
  if (isJsonObject(headers)) return Object.entries(headers);
  if (!Array.isArray(headers)) return [];
  const values = new Map<string, Json[]>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index];
    if (typeof name !== 'string') continue;
    const before = values.get(name);
    if (before === undefined) values.set(name, [headers[index + 1] ?? null]);
    else before.push(headers[index + 1] ?? null);
  }
  return [...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? null) : all]);
}

function isHeaderValue(
  bytes: Buffer | null | undefined | (Buffer | null | undefined)[],
): bytes is Buffer | null | (Buffer | null)[] {
  return Array.isArray(bytes) ? !bytes.includes(undefined) : bytes !== undefined;
}

/** undefined where it is none of the three forms. */
function bytesOfHippo(text: Json): Buffer | null | undefined {
  if (text === null) return null;
  if (typeof text === 'string') return Buffer.from(text, 'utf8');
  if (!isJsonObject(text) || typeof text['base64'] !== 'string') return undefined;
  const bytes = Buffer.from(text['base64'], 'base64');
  return bytes.toString('base64') === text['base64'] ? bytes : undefined;
}

function bytesOfKcat(text: Json, encoding: ParsedEnvelope['encoding']): Buffer | null | undefined {
  if (text === null) return null;
  return typeof text === 'string' ? Buffer.from(text, encoding) : undefined;
}

const LARGEST_INT64 = 2n ** 63n - 1n;

/** @returns undefined for what is not a whole number of 64 bits */
function int64(value: Json | undefined): bigint | undefined {
  const native = nativeOf(value);
  if (native === undefined || (typeof native === 'number' && !Number.isSafeInteger(native))) return undefined;
  const number = BigInt(native);
  return number <= LARGEST_INT64 && number >= -LARGEST_INT64 - 1n ? number : undefined;
}

const LONGEST_SHOWN = 60;

/** A value as an error names it. */
function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN - 1)}…`;
}

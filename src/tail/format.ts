import { isList, lastHeader, listHeaders } from '../core/headers.ts';
import { isoTime } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import { type Printer, type Sink, jsonValue } from '../records/index.ts';

/** Values as they are, a newline after each. */
export const RAW_FORMAT = String.raw`%s\n`;

const printKey: Printer = ({ key }, sink) => printBytes(key, sink);
const printValue: Printer = ({ value }, sink) => printBytes(value, sink);
const printTopic: Printer = ({ topic }, sink) => sink.write(topic);
const printPartition: Printer = ({ partition }, sink) => sink.writeNumber(partition);
const printOffset: Printer = ({ offset }, sink) => sink.writeNumber(offset);
const printTimestamp: Printer = ({ timestamp }, sink) => sink.writeNumber(timestamp);

/** kcat's tokens, by their letter. */
const TOKENS: Readonly<Record<string, Printer>> = {
  t: printTopic,
  p: printPartition,
  o: printOffset,
  k: printKey,
  s: printValue,
  T: printTimestamp,
  h: ({ headers }, sink) => {
    for (const [index, [name, value]] of listHeaders(headers).entries()) {
      sink.write(`${index === 0 ? '' : ','}${name}=`);
      if (value !== null) sink.write(value);
    }
  },
  K: ({ key }, sink) => sink.write(String(key?.length ?? -1)),
  S: ({ value }, sink) => sink.write(String(value?.length ?? -1)),
  R: ({ value }, sink) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value?.length ?? -1);
    sink.write(length);
  },
};

/** Fields by name; those of `value` and `headers` by a path after it. */
const FIELDS: Readonly<Record<string, Printer>> = {
  topic: printTopic,
  partition: printPartition,
  offset: printOffset,
  timestamp: printTimestamp,
  time: ({ timestamp }, sink) => sink.write(isoTime(timestamp) ?? ''),
  key: printKey,
  value: printValue,
  headers: ({ headers }, sink) =>
    sink.write(
      JSON.stringify(
        Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            isList(value) ? value.map(textOf) : textOf(value),
          ]),
        ),
      ),
    ),
};

function textOf(bytes: Buffer | null): string | null {
  return bytes?.toString() ?? null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  '{': '{',
};

/** An escape, a token, a field, or a piece of text; a brace that begins no field's name is text. */
const PIECE =
  /\\x(?<hex>[\dA-Fa-f]{2})|\\(?<escape>[nrt0\\{])|%(?<token>.?)|\{(?<field>[A-Za-z]+)(?:\.(?<path>[^{}]+))?\}|(?<text>[^\\%{]+|.)/gs;

/**
 * Compiles what `--format` says: kcat's tokens (`%t [%p] at %o: %s\n`), fields by name (`{time} {key} {value.table}\n`) and
 * escapes (`\n`, `\t`, `\xHH`). As with kcat, a newline is printed only where the format has one; what a record lacks is
 * printed as nothing. Bytes stay bytes.
 *
 * @throws UserError for a token or a field that is unknown
 */
export function compileFormat(format: string): Printer {
  const pieces: (Printer | Buffer)[] = [];
  for (const match of format.matchAll(PIECE)) {
    const piece = readPiece(match[0], match.groups as Partial<Record<string, string>>);
    const before = pieces.at(-1);
    if (Buffer.isBuffer(piece) && Buffer.isBuffer(before))
      pieces[pieces.length - 1] = Buffer.concat([before, piece]);
    else pieces.push(piece);
  }
  return (record, sink) => {
    for (const piece of pieces) {
      if (typeof piece === 'function') piece(record, sink);
      else sink.write(piece);
    }
  };
}

function readPiece(
  whole: string,
  { hex, escape, token, field, path, text }: Partial<Record<string, string>>,
): Printer | Buffer {
  if (text !== undefined) return Buffer.from(text);
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  if (escape !== undefined) return Buffer.from(ESCAPES[escape] ?? whole);
  if (token === '%') return Buffer.from('%');
  const printer =
    token !== undefined ? TOKENS[token] : path === undefined ? FIELDS[field ?? ''] : inside(field, path);
  if (printer !== undefined) return printer;
  throw new UserError(`--format has no ${whole}`, {
    why: [
      ...(field === undefined ? [] : [didYouMean(field, Object.keys(FIELDS)) ?? '']),
      `Tokens: ${Object.keys(TOKENS)
        .map((letter) => `%${letter}`)
        .join(' ')}, and %% for a percent sign.`,
      `Fields: ${Object.keys(FIELDS)
        .map((name) => `{${name}}`)
        .join(' ')};`,
      String.raw`also {value.a.b} and {headers.name}. A brace that is meant is \{.`,
    ]
      .filter((line) => line !== '')
      .join('\n'),
    next: [String.raw`--format '{time} {key} {value.table}\n'`, String.raw`--format '%t [%p] at %o: %s\n'`],
  });
}

/** `{value.partition.0.value}`, `{headers.traceparent}` */
function inside(field: string | undefined, path: string): Printer | undefined {
  if (field === 'headers') return ({ headers }, sink) => printBytes(lastHeader(headers, path) ?? null, sink);
  if (field !== 'value') return undefined;
  const steps = path.split('.');
  return ({ value }, sink) => {
    const found = steps.reduce<Json | undefined>(
      (json, step) => (isJsonObject(json) || Array.isArray(json) ? own(json as JsonObject, step) : undefined),
      jsonValue(value),
    );
    sink.write(
      typeof found === 'string' ? found : found === undefined || found === null ? '' : JSON.stringify(found),
    );
  };
}

function printBytes(bytes: Buffer | null, sink: Sink): void {
  if (bytes !== null) sink.write(bytes);
}

/** Own properties only, not those that every object inherits. */
function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

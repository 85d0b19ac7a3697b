import fc from 'fast-check';
import { isList, type Headers } from '../../src/core/headers.ts';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { type Printer, Sink } from '../../src/records/sink.ts';

/** A record as it comes from Kafka; text stands for its bytes. */
export function record({
  key = null,
  value = '{"table":"party"}',
  headers = {},
  ...over
}: Partial<Omit<KafkaRecord, 'key' | 'value' | 'headers'>> & {
  key?: string | Buffer | null;
  value?: string | Buffer | null;
  headers?: Headers<string | Buffer>;
} = {}): KafkaRecord {
  const bytes = (text: string | Buffer | null): Buffer | null =>
    typeof text === 'string' ? Buffer.from(text) : text;
  return {
    topic: 'frontier-adw',
    partition: 3,
    offset: 12n,
    timestamp: Date.UTC(2017, 3, 28, 15, 55, 46),
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, isList(text) ? text.map(bytes) : bytes(text)]),
    ),
    ...over,
  };
}

/** What a printer prints. */
export function printed(print: Printer, ...records: KafkaRecord[]): Buffer {
  const chunks: Buffer[] = [];
  const sink = new Sink({
    write: (chunk, done) => {
      chunks.push(Buffer.from(chunk));
      done();
      return true;
    },
    once: () => undefined,
  });
  for (const each of records) print(each, sink);
  sink.flush();
  return Buffer.concat(chunks);
}

/** Any text, control characters and lone surrogates too. (fast-check's own takes seconds to be made.) */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0x10ffff)))
  .map((codes) => String.fromCodePoint(...codes));

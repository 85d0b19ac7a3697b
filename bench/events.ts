import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Of a line, without its newline. Bytes. */
const SIZE = 144;
const LINES_A_CHUNK = 10_000;

/** Writes frontier events, one a line, each of 144 bytes: a thousand tables, a partition for each of twelve months. */
export async function writeEvents(file: string, count: number): Promise<void> {
  function* chunks(): Generator<string> {
    for (let from = 0; from < count; from += LINES_A_CHUNK) {
      const lines = Math.min(LINES_A_CHUNK, count - from);
      yield Array.from({ length: lines }, (_, index) => `${event(from + index)}\n`).join('');
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(file));
}

function event(index: number): string {
  const text = JSON.stringify({
    table: `table_${String(index % 1000).padStart(4, '0')}`,
    db: 'btd',
    partition: [{ name: 'yyyymm', value: String(201_701 + (index % 12)) }],
    method: 'partition',
    exec_date: String(1_493_394_946 + index),
    note: '',
  });
  return text.replace('"note":""', `"note":"${'x'.repeat(SIZE - text.length)}"`);
}

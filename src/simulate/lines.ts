import { createReadStream } from 'node:fs';
import { UserError, messageOf } from '../core/errors.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { readRecord } from '../tail/envelope.ts';

/**
 * The records of a file as `hippo tail --json` prints them, one a line.
 *
 * @param file `-`: standard input
 * @throws UserError for a file that cannot be read, and for a line that is no record, with its number
 */
export async function* recordsOf(file: string, signal: AbortSignal): AsyncGenerator<KafkaRecord> {
  const shown = file === '-' ? 'standard input' : file;
  let number = 0;
  try {
    for await (const line of linesOf(file === '-' ? process.stdin : createReadStream(file, { signal }))) {
      number += 1;
      if (line.toString('latin1').trim() === '') continue;
      const read = readRecord(line);
      if (read.ok) yield read.record;
      else throw notARecord(shown, number, read.reason);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(isMissing ? `there is no file ${file}` : `${shown} cannot be read`, {
      why: isMissing ? undefined : messageOf(error),
      next: EXAMPLE,
    });
  }
}

const EXAMPLE = ['hippo tail frontier finish --from -1d --exit-at-end --json > events.jsonl'];

function notARecord(file: string, line: number, reason: string): UserError {
  return new UserError(`line ${line} of ${file} cannot be simulated`, {
    why: reason,
    next: EXAMPLE,
    place: { file, line },
  });
}

/** Only a newline ends a line: JSON texts may hold other separators. */
async function* linesOf(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Buffer);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      yield Buffer.concat([...rest, bytes.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    rest.push(bytes.subarray(start));
  }
  yield Buffer.concat(rest);
}

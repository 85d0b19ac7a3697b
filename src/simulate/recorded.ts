import { UserError } from '../core/errors.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { findLines, readLines, readRecord } from '../records/index.ts';

/**
 * The records of a file, one per line as `hippo tail --json` or `kcat -J` prints them. Blank lines are skipped.
 *
 * @param name of the file; `-`: standard input
 * @throws UserError for a file that cannot be read, and for a malformed line, with its number
 */
export async function* recordsOf(name: string, signal: AbortSignal): AsyncGenerator<KafkaRecord> {
  const file = await findLines(name);
  for await (const { first, lines } of readLines(file, signal)) {
    for (const [index, line] of lines.entries()) {
      if (line.length === 0) continue;
      const read = readRecord(line);
      if (read.ok) yield read.record;
      else {
        throw new UserError(`line ${first + index}: ${read.reason}`, {
          next: ['hippo tail frontier finish --from -1d --exit-at-end --json > events.jsonl'],
          place: { file: file.shown, line: first + index },
        });
      }
    }
  }
  signal.throwIfAborted();
}

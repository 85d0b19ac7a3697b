import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { HippoError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { partitionForKey } from '../kafka/partitioner.ts';
import type { Kafka } from '../kafka/port.ts';
import { type BadLine, badLineError } from './check-lines.ts';
import { readLines } from '../records/index.ts';
import { type PlannedEvent, planMessage } from './publish.ts';
import type { LineSource, Source } from './source.ts';

/** Where events would go. */
export interface Destination {
  topic: string;
  /** How many partitions the topic has; null: not known. */
  partitions: number | null;
  /** Why it is not known. */
  why: string | null;
}

/** An event that would be published, and where it would go. */
export interface DryEvent extends PlannedEvent {
  /** By Kafka's own murmur2 of the key; null: any (no key), or not known. */
  to: number | null;
}

/**
 * Asks the brokers how many partitions the topic has. If none answers, the destination says why; that is not an error
 * here.
 *
 * @param kafka the error of the connection if there is none
 */
export async function findDestination(config: Config, kafka: Kafka | HippoError): Promise<Destination> {
  const topic = topicName(config, 'frontier');
  if (kafka instanceof HippoError) return { topic, partitions: null, why: kafka.message };
  try {
    const { found: looked, hidden } = await kafka.lookUp([topic]);
    if (hidden[0] !== undefined) throw hidden[0];
    const [found] = looked;
    return found === undefined
      ? { topic, partitions: null, why: `topic ${topic} does not exist` }
      : { topic, partitions: found.partitions.length, why: null };
  } catch (error) {
    if (!(error instanceof HippoError)) throw error;
    return { topic, partitions: null, why: error.message };
  }
}

/** The events of a source as they would be published, in order. */
export async function* dryEvents(
  source: Source,
  { topic, partitions }: Destination,
  signal: AbortSignal,
  onSkipped: (bad: BadLine) => void,
): AsyncGenerator<DryEvent> {
  const events = source.kind === 'events' ? source.events() : lineEvents(source, topic, signal, onSkipped);
  for await (const event of events) {
    if (signal.aborted) return;
    const { key } = event.record;
    yield { ...event, to: key === null || partitions === null ? null : partitionForKey(key, partitions) };
  }
}

async function* lineEvents(
  { file, reader, fromLine, skipBad }: LineSource,
  topic: string,
  signal: AbortSignal,
  onSkipped: (bad: BadLine) => void,
): AsyncGenerator<PlannedEvent> {
  for await (const { first, lines } of readLines(file, signal)) {
    for (const [index, bytes] of lines.entries()) {
      const n = first + index;
      const read = n < fromLine ? undefined : reader.read(bytes);
      if (read === undefined) continue;
      if (read.ok) yield planMessage(read.message, topic, n);
      else if (skipBad) onSkipped({ line: n, reason: read.reason });
      else {
        throw badLineError(file, { line: n, reason: read.reason }, 'It would end here.', [
          `hippo trigger --file ${shellWord(file.name)} --dry-run --skip-bad`,
        ]);
      }
    }
  }
}

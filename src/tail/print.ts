import type { Kafka, KafkaRecord } from '../kafka/port.ts';
import { type Output, Sink } from './sink.ts';
import { type TailRequest, type TailSummary, tail } from './tail.ts';

/** Turns a record into what is printed, its newline included. */
export type Printer = (record: KafkaRecord) => string | Uint8Array;

/** Tails, and prints what is wanted: as fast as `output` takes it, and no faster. */
export async function printTail(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  request: TailRequest,
  printer: Printer,
  keep: ((record: KafkaRecord) => boolean) | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<TailSummary> {
  const sink = new Sink(output);
  const consumer = {
    keep,
    take: (record: KafkaRecord): void => sink.write(printer(record)),
    ready: (): Promise<void> => sink.ready(),
  };
  try {
    return await tail(kafka, request, consumer, signal);
  } finally {
    sink.flush();
  }
}

import { isAborted } from '../core/abort.ts';
import { recordId } from '../core/record-ref.ts';
import { sizeOfHeaders } from '../core/headers.ts';
import type { Clock } from '../core/clock.ts';
import { NotFineError } from '../core/errors.ts';
import { FencedError, RecordTooLargeError } from '../kafka/failures.ts';
import type { Kafka } from '../kafka/port.ts';
import { batchSize } from '../kafka/record-size.ts';
import { readHistory } from './history.ts';
import { type DeadLetter, type LetterStatus, sentBack, wasSent } from './letter.ts';
import type { ReplayPlan } from './plan.ts';

/** The records of a transaction go to a partition in one batch, which brokers limit to 1 MB. */
const TRANSACTION_BYTES = 256 * 1024;

/**
 * Sends the ready letters of a plan. The record that is sent also says which dead letter it was, so the message and the
 * memory of its replay cannot be separated. A message that its topic does not take is left out. If two replays write to one topic at the same time, the later one continues
 * and knows what the earlier one has sent.
 *
 * @param again also sends letters that were sent since the plan was made
 * @returns the letters of the plan with their outcome; letters that an abort left unsent are still `ready`
 * @throws NotFineError if another replay has taken over
 */
export async function sendLetters(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader' | 'transactionalProducer'>,
  { letters, known }: ReplayPlan,
  { again, clock, signal }: { again: boolean; clock: Clock; signal: AbortSignal },
): Promise<DeadLetter[]> {
  const outcomes = new Map<string, LetterStatus>();
  const ready = letters.filter(({ letter }) => letter.status === 'ready');
  for (const [topic, those] of Map.groupBy(ready, ({ letter }) => letter.to.topic)) {
    let left = those;
    while (left.length > 0 && !signal.aborted) {
      const producer = await kafka.transactionalProducer(`hippo.replay.${topic}`);
      let chunk: readonly DeadLetter[] = [];
      try {
        // This producer has fenced every other replay, so none can add a record from here on.
        const news = await readHistory(kafka, topic, known.get(topic) ?? [], signal);
        const isNews = (each: DeadLetter): boolean => !again && wasSent(each, news.sent);
        for (const { letter } of left.filter(isNews)) outcomes.set(recordId(letter), 'sent-before');
        for (chunk of chunks(left.filter((each) => !isNews(each)))) {
          if (isAborted(signal)) break;
          await producer.write(chunk.map((each) => sentBack(each, clock.now())));
          for (const { letter } of chunk) outcomes.set(recordId(letter), 'sent');
        }
        break;
      } catch (error) {
        if (error instanceof FencedError) throw overtaken(topic, outcomes, error);
        if (!(error instanceof RecordTooLargeError)) throw error;
        // The topic's settings may not be read, or have just changed. A producer is of no use after a failed write.
        for (const { letter } of tooLarge(chunk, error, clock)) outcomes.set(recordId(letter), 'too-large');
      } finally {
        await producer.close();
      }
      left = left.filter(({ letter }) => !outcomes.has(recordId(letter)));
    }
  }
  return letters.map((each) => {
    const status = outcomes.get(recordId(each.letter)) ?? each.letter.status;
    return { ...each, letter: { ...each.letter, status } };
  });
}

/** The refused message, and those of the same transaction that are as large. */
function tooLarge(
  chunk: readonly DeadLetter[],
  { index, bytes }: RecordTooLargeError,
  clock: Clock,
): DeadLetter[] {
  return chunk.filter((each, at) => at === index || batchSize(sentBack(each, clock.now())) >= bytes);
}

function overtaken(
  topic: string,
  outcomes: ReadonlyMap<string, LetterStatus>,
  cause: FencedError,
): NotFineError {
  const sent = [...outcomes.values()].filter((status) => status === 'sent').length;
  return new NotFineError(`another replay into ${topic} has begun; this one has stopped`, {
    why: `It had sent ${sent} messages, which the other one knows.`,
    next: ['hippo replay --dry-run'],
    cause,
  });
}

/** Splits the letters, in their order, into transactions of limited size. */
function chunks(letters: readonly DeadLetter[]): DeadLetter[][] {
  const result: DeadLetter[][] = [];
  let bytes = Infinity;
  for (const each of letters) {
    const size = sizeOf(each.record);
    if (bytes + size > TRANSACTION_BYTES) {
      result.push([]);
      bytes = 0;
    }
    result.at(-1)?.push(each);
    bytes += size;
  }
  return result;
}

function sizeOf({ key, value, headers }: Pick<DeadLetter['record'], 'key' | 'value' | 'headers'>): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + sizeOfHeaders(headers) + 100;
}

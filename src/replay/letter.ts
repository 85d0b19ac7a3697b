import { lastHeader } from '../core/headers.ts';
import type { KafkaRecord, OutgoingRecord } from '../kafka/port.ts';

/** What of a dead letter's headers is ours and does not go back with it. */
const DLQ_HEADER = /^dlq\./;
/** How often a message has been sent back; it stays with the message, also when that is rejected again. */
const COUNT_HEADER = 'replay.count';
/** Which dead letter a message was, as {@link coordinatesOf}: that it is in its topic is the memory of its replay. */
const LETTER_HEADER = 'replay.of';

export type LetterStatus =
  | 'ready'
  | 'sent'
  /** An earlier replay sent it back. */
  | 'sent-before'
  /** Its topic no longer reaches back to when it was rejected: an earlier replay may have sent it back. */
  | 'perhaps-sent'
  /** It has come back too often. */
  | 'looping'
  /** It was cut when it was rejected, and the whole message is no longer where it came from. */
  | 'gone'
  /** No hippo has put it there. */
  | 'foreign';

/** A dead letter, as reports have it. */
export interface Letter {
  status: LetterStatus;
  topic: string;
  partition: number;
  /** Decimal text. */
  offset: string;
  /** ISO 8601: when it was rejected; null where the broker has no time. */
  rejected_at: string | null;
  reason: string;
  /** The field of the message that the reason is about; null: the whole. */
  field: string | null;
  /** Who rejected it. */
  hippo: string | null;
  /** Where it goes back to: the partition that it came from. */
  to: { topic: string; partition: number };
  /** How often it has been sent back before. */
  replays: number;
  /** The beginning of its value, as text. */
  excerpt: string;
}

/** A letter and what Kafka has of it. */
export interface DeadLetter {
  letter: Letter;
  record: KafkaRecord;
}

const EXCERPT = 200;

/** @param home the topic whose dead letters these are */
export function readLetter(record: KafkaRecord, home: string): DeadLetter {
  const { topic, partition, offset, timestamp, headers, value } = record;
  const text = (name: string): string | null => lastHeader(headers, name)?.toString('utf8') ?? null;
  const isOurs = text('dlq.topic') === home && /^\d{1,9}$/.test(text('dlq.partition') ?? '');
  return {
    record,
    letter: {
      status: isOurs ? 'ready' : 'foreign',
      topic,
      partition,
      offset: String(offset),
      rejected_at: timestamp < 0 ? null : new Date(timestamp).toISOString(),
      reason: text('dlq.reason') ?? 'unknown',
      field: text('dlq.key'),
      hippo: text('dlq.hippo'),
      to: { topic: home, partition: isOurs ? Number(text('dlq.partition')) : 0 },
      replays: countOf(record),
      excerpt: value?.subarray(0, EXCERPT).toString('utf8') ?? '',
    },
  };
}

/** The message as it was, byte for byte, in the partition that it came from. */
export function messageOf({ letter, record }: DeadLetter, now: number): OutgoingRecord {
  const own = Object.entries(record.headers).filter(
    ([name]) => !DLQ_HEADER.test(name) && name !== LETTER_HEADER,
  );
  return {
    ...letter.to,
    key: record.key,
    value: record.value,
    headers: {
      ...Object.fromEntries(own),
      [COUNT_HEADER]: String(letter.replays + 1),
      [LETTER_HEADER]: coordinatesOf(letter),
    },
    // Whoever looks for it looks from the time of its rejection on; this clock may be behind that hippo's.
    timestamp: Math.max(now, record.timestamp),
  };
}

/** Names a dead letter: `frontier-adw.dlq/0/12`. */
export function coordinatesOf({
  topic,
  partition,
  offset,
}: Pick<Letter, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`;
}

/** The dead letter that a message in its topic was, or undefined. */
export function replayedLetter({ headers }: Pick<KafkaRecord, 'headers'>): string | undefined {
  return lastHeader(headers, LETTER_HEADER)?.toString('utf8');
}

function countOf({ headers }: KafkaRecord): number {
  const text = lastHeader(headers, COUNT_HEADER)?.toString('latin1') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

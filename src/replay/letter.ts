import { isoTime } from '../core/clock.ts';
import { lastHeader } from '../core/headers.ts';
import { type RecordRef, parseRecordId, recordId, recordRef } from '../core/record-ref.ts';
import type { KafkaRecord, OutgoingRecord } from '../kafka/port.ts';

/** The headers that hippo has added to a dead letter; they are removed when it is sent back. */
const DLQ_HEADER = /^dlq\./;
/** How often a message has been sent back. The header stays with the message if it is rejected again. */
const COUNT_HEADER = 'replay.count';
/** Which dead letter a message was, as {@link recordId}. A replay is remembered by the message with this header. */
const LETTER_HEADER = 'replay.of';
/** The id of that dead letter's topic: another topic of its name may have a letter with the same coordinates. */
const LETTER_TOPIC_HEADER = 'replay.of.topic_id';

export type LetterStatus =
  | 'ready'
  | 'sent'
  /** An earlier replay sent it back. */
  | 'sent-before'
  /** The topic has no records as old as the rejection any more, so an earlier replay may have sent it back. */
  | 'perhaps-sent'
  /** It has been rejected too often. */
  | 'looping'
  /** It was cut when it was rejected, and its original record does not exist any more. */
  | 'gone'
  /** No hippo has written it. */
  | 'foreign';

/** A dead letter, as in reports. */
export interface Letter extends RecordRef {
  status: LetterStatus;
  /** The time of the rejection, ISO 8601; null if the record has no timestamp. */
  rejected_at: string | null;
  reason: string;
  /** The field that the reason is about; null for the whole message. */
  field: string | null;
  /** The hippo that rejected it. */
  hippo: string | null;
  /** The partition that it came from and goes back to. */
  to: { topic: string; partition: number };
  /** How often it has been sent back before. */
  replays: number;
  /** The beginning of its value, as text. */
  excerpt: string;
}

/** A letter and its records in Kafka. */
export interface DeadLetter {
  letter: Letter;
  record: KafkaRecord;
}

const EXCERPT = 200;

/** @param home the topic whose dead letters these are */
export function readLetter(record: KafkaRecord, home: string): DeadLetter {
  const { timestamp, headers, value } = record;
  const text = (name: string): string | null => lastHeader(headers, name)?.toString('utf8') ?? null;
  const isOurs = text('dlq.topic') === home && /^\d{1,9}$/.test(text('dlq.partition') ?? '');
  return {
    record,
    letter: {
      status: isOurs ? 'ready' : 'foreign',
      ...recordRef(record),
      rejected_at: isoTime(timestamp),
      reason: text('dlq.reason') ?? 'unknown',
      field: text('dlq.key'),
      hippo: text('dlq.hippo'),
      to: { topic: home, partition: isOurs ? Number(text('dlq.partition')) : 0 },
      replays: countOf(record),
      excerpt: value?.subarray(0, EXCERPT).toString('utf8') ?? '',
    },
  };
}

/** The record to send: the original message, byte for byte, to the partition that it came from. */
export function sentBack({ letter, record }: DeadLetter, now: number): OutgoingRecord {
  const own = Object.entries(record.headers).filter(
    ([name]) => !DLQ_HEADER.test(name) && name !== LETTER_HEADER && name !== LETTER_TOPIC_HEADER,
  );
  return {
    ...letter.to,
    key: record.key,
    value: record.value,
    headers: {
      ...Object.fromEntries(own),
      [COUNT_HEADER]: String(letter.replays + 1),
      [LETTER_HEADER]: recordId(letter),
      ...(letter.topicId === undefined ? {} : { [LETTER_TOPIC_HEADER]: letter.topicId }),
    },
    // A later replay searches from the time of the rejection on, and this machine's clock may be behind the hippo's.
    timestamp: isoTime(record.timestamp) === null ? now : Math.max(now, record.timestamp),
  };
}

/** The dead letter that a message in its topic was, or undefined. */
export function replayedLetter({ headers }: Pick<KafkaRecord, 'headers'>): RecordRef | undefined {
  const ref = parseRecordId(lastHeader(headers, LETTER_HEADER)?.toString('utf8') ?? '');
  const topicId = lastHeader(headers, LETTER_TOPIC_HEADER)?.toString('utf8');
  return ref === undefined || topicId === undefined ? ref : { ...ref, topicId };
}

function countOf({ headers }: KafkaRecord): number {
  const text = lastHeader(headers, COUNT_HEADER)?.toString('latin1') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

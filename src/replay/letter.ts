import { isoTime } from '../core/clock.ts';
import { lastHeader } from '../core/headers.ts';
import {
  type RecordRef,
  type RecordSet,
  isSameTopic,
  parseRecordId,
  recordId,
  recordRef,
} from '../core/record-ref.ts';
import type { KafkaRecord, OutgoingRecord } from '../kafka/port.ts';

/** The headers that hippo has added to a dead letter; they are removed when it is sent back. */
const DLQ_HEADER = /^dlq\./;
/** How often a message has been sent back. The header stays with the message if it is rejected again. */
const COUNT_HEADER = 'replay.count';
/** Which dead letter a message was, as {@link recordId}. A replay is remembered by the message with this header. */
const LETTER_HEADER = 'replay.of';
/** The id of that dead letter's topic: another topic of its name may have a letter with the same coordinates. */
const LETTER_TOPIC_HEADER = 'replay.of.topic_id';
/** Which record had been rejected, as {@link recordId}: each hippo that rejects it writes a dead letter of its own. */
const ORIGIN_HEADER = 'replay.record';
/** The id of that record's topic. */
const ORIGIN_TOPIC_HEADER = 'replay.record.topic_id';
const REPLAY_HEADERS: readonly string[] = [
  COUNT_HEADER,
  LETTER_HEADER,
  LETTER_TOPIC_HEADER,
  ORIGIN_HEADER,
  ORIGIN_TOPIC_HEADER,
];

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
  /** The topic that it goes back to takes no message of its size. */
  | 'too-large'
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
  /** The hippos that rejected it. Each wrote a dead letter; this is the earliest of them. */
  hippos: string[];
  /** The partition that it came from and goes back to. */
  to: { topic: string; partition: number };
  /** How often it has been sent back before. */
  replays: number;
  /** The beginning of its value, as text. */
  excerpt: string;
}

/** A rejected record and its letter in Kafka. */
export interface DeadLetter {
  letter: Letter;
  record: KafkaRecord;
  /** The record that was rejected; null if no hippo has written the letter. */
  origin: RecordRef | null;
  /** The letters of the same record that other hippos have written. */
  copies: readonly RecordRef[];
}

/** The messages that earlier replays have sent. */
export interface SentBefore {
  letters: RecordSet;
  /** The records that had been rejected. */
  origins: RecordSet;
}

const EXCERPT = 200;

/** @param home the topic whose dead letters these are */
export function readLetter(record: KafkaRecord, home: string): DeadLetter {
  const { timestamp, headers, value } = record;
  const text = (name: string): string | null => lastHeader(headers, name)?.toString('utf8') ?? null;
  const isOurs = text('dlq.topic') === home && /^\d{1,9}$/.test(text('dlq.partition') ?? '');
  const hippo = text('dlq.hippo');
  return {
    record,
    origin: isOurs
      ? refOf(`${home}/${text('dlq.partition')}/${text('dlq.offset')}`, text('dlq.topic_id'))
      : null,
    copies: [],
    letter: {
      status: isOurs ? 'ready' : 'foreign',
      ...recordRef(record),
      rejected_at: isoTime(timestamp),
      reason: text('dlq.reason') ?? 'unknown',
      field: text('dlq.key'),
      hippos: hippo === null ? [] : [hippo],
      to: { topic: home, partition: isOurs ? Number(text('dlq.partition')) : 0 },
      replays: countOf(record),
      excerpt: value?.subarray(0, EXCERPT).toString('utf8') ?? '',
    },
  };
}

/**
 * One letter for each rejected record, the earliest, however many hippos have rejected the record. The time of the record
 * also counts: without an id of its topic, a record with the same coordinates may be of a topic that was created again.
 */
export function onePerRecord(letters: readonly DeadLetter[]): DeadLetter[] {
  const found = new Map<string, DeadLetter[]>();
  for (const each of letters.toSorted((one, other) => one.record.timestamp - other.record.timestamp)) {
    const { letter, record, origin } = each;
    const time = lastHeader(record.headers, 'dlq.timestamp')?.toString('latin1');
    const key = origin === null ? recordId(letter) : `${recordId(origin)} ${time}`;
    const those = found.get(key) ?? [];
    found.set(key, those);
    const at = those.findIndex((one) => isSameTopic(one.origin?.topicId, origin?.topicId));
    const same = those[at];
    if (same === undefined || origin === null) those.push(each);
    else those[at] = merged(same, each);
  }
  return [...found.values()].flat();
}

function merged(first: DeadLetter, { letter, origin }: DeadLetter): DeadLetter {
  return {
    ...first,
    letter: { ...first.letter, hippos: [...new Set([...first.letter.hippos, ...letter.hippos])] },
    origin: first.origin?.topicId === undefined ? origin : first.origin,
    copies: [...first.copies, letter],
  };
}

/** Whether a replay has sent the record back, as this letter or as that of another hippo. */
export function wasSent(
  { letter, copies, origin }: Omit<DeadLetter, 'record'>,
  { letters, origins }: SentBefore,
): boolean {
  return [letter, ...copies].some((each) => letters.has(each)) || (origin !== null && origins.has(origin));
}

/** The record to send: the original message, byte for byte, to the partition that it came from. */
export function sentBack({ letter, record, origin }: DeadLetter, now: number): OutgoingRecord {
  const own = Object.entries(record.headers).filter(
    ([name]) => !DLQ_HEADER.test(name) && !REPLAY_HEADERS.includes(name),
  );
  return {
    ...letter.to,
    key: record.key,
    value: record.value,
    headers: {
      ...Object.fromEntries(own),
      [COUNT_HEADER]: String(letter.replays + 1),
      ...headersOf(letter, LETTER_HEADER, LETTER_TOPIC_HEADER),
      ...(origin === null ? {} : headersOf(origin, ORIGIN_HEADER, ORIGIN_TOPIC_HEADER)),
    },
    // A later replay searches from the time of the rejection on, and this machine's clock may be behind the hippo's.
    timestamp: isoTime(record.timestamp) === null ? now : Math.max(now, record.timestamp),
  };
}

function headersOf(ref: RecordRef, name: string, topicName: string): Record<string, string> {
  return { [name]: recordId(ref), ...(ref.topicId === undefined ? {} : { [topicName]: ref.topicId }) };
}

/** The dead letter that a message in its topic was, and the rejected record; each undefined if it does not say so. */
export function replayedFrom({ headers }: Pick<KafkaRecord, 'headers'>): {
  letter: RecordRef | undefined;
  origin: RecordRef | undefined;
} {
  const refIn = (name: string, topicName: string): RecordRef | undefined =>
    refOf(
      lastHeader(headers, name)?.toString('utf8') ?? '',
      lastHeader(headers, topicName)?.toString('utf8') ?? null,
    ) ?? undefined;
  return {
    letter: refIn(LETTER_HEADER, LETTER_TOPIC_HEADER),
    origin: refIn(ORIGIN_HEADER, ORIGIN_TOPIC_HEADER),
  };
}

/** Reads what {@link headersOf} writes; null for all else. */
function refOf(id: string, topicId: string | null): RecordRef | null {
  const ref = parseRecordId(id);
  if (ref === undefined) return null;
  return topicId === null ? ref : { ...ref, topicId };
}

function countOf({ headers }: KafkaRecord): number {
  const text = lastHeader(headers, COUNT_HEADER)?.toString('latin1') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

import { lastHeader, sizeOfHeaders } from '../../core/headers.ts';
import type { HeaderValue, Headers, KafkaRecord, OutgoingRecord } from '../../kafka/port.ts';
import { dlqName } from '../../config/topics.ts';
import { formatOffset, recordRef } from '../../core/record-ref.ts';
import { traceIdOf } from '../../core/ids.ts';
import {
  type FrontierEvent,
  type JobFinish,
  type ManualRequest,
  type MessageRef,
  type Rejection,
  parseMessage,
} from '../../messages/index.ts';

/** The topics that a client reads, by what is on them. */
export type InputKind = 'frontier' | 'finish' | 'schedule';

export type Input =
  | { ok: true; from: MessageRef; message: FrontierEvent | JobFinish | ManualRequest }
  | { ok: false; rejection: Rejection };

/** Reads one record of an input topic; never throws. */
export function readInput(kind: InputKind, record: KafkaRecord): Input {
  if (record.value === null) return { ok: false, rejection: { reason: 'the record has no value' } };
  const parsed = parseMessage(kind, record.value);
  if (!parsed.ok) return parsed;
  const traceparent = traceparentOf(record);
  return {
    ok: true,
    from: {
      ...recordRef(record),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    message: parsed.message,
  };
}

/** A malformed traceparent is dropped: tracing cannot use it, and it may have any length. */
function traceparentOf({ headers }: KafkaRecord): string | undefined {
  const text = lastHeader(headers, 'traceparent')?.toString('latin1');
  return text === undefined || traceIdOf(text) === undefined ? undefined : text;
}

/**
 * What a dead letter may have in all, bytes: with our headers and Kafka's own it stays below the default limit of a record.
 * A message may come close to that limit, and a compressed one may pass it.
 */
const LETTER_BYTES = 1_000_000;
/** What is left of a key, a value and the headers of a larger one. */
const CUT_BYTES = 64 * 1024;

/**
 * The record for the dead letter queue: key, value and headers byte for byte, and where they come from. Of a record that is
 * too large to be written again only the beginning; `dlq.truncated` then says how many bytes it has where it came from.
 */
export function deadLetter(record: KafkaRecord, rejection: Rejection, hippo: string): OutgoingRecord {
  const size = sizeOf(record);
  const isCut = size > LETTER_BYTES;
  const { key, value, headers } = isCut ? cut(record) : record;
  return {
    topic: dlqName(record.topic),
    key,
    value,
    headers: {
      ...headers,
      'dlq.reason': rejection.reason,
      ...(rejection.key === undefined ? {} : { 'dlq.key': rejection.key }),
      ...(isCut ? { 'dlq.truncated': String(size) } : {}),
      'dlq.topic': record.topic,
      ...(record.topicId === undefined ? {} : { 'dlq.topic_id': record.topicId }),
      'dlq.partition': String(record.partition),
      'dlq.offset': formatOffset(record.offset),
      'dlq.timestamp': String(record.timestamp),
      'dlq.hippo': hippo,
    },
  };
}

function sizeOf({ key, value, headers }: KafkaRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + sizeOfHeaders(headers);
}

/** The headers that fit are whole, in their order. */
function cut({ key, value, headers }: KafkaRecord): Pick<KafkaRecord, 'key' | 'value' | 'headers'> {
  const kept: [string, HeaderValue][] = [];
  let bytes = 0;
  for (const [name, values] of Object.entries(headers)) {
    const size = sizeOfHeaders({ [name]: values });
    if (bytes + size > CUT_BYTES) continue;
    kept.push([name, values]);
    bytes += size;
  }
  return {
    key: key?.subarray(0, CUT_BYTES) ?? null,
    value: value?.subarray(0, CUT_BYTES) ?? null,
    headers: Object.fromEntries(kept) satisfies Headers,
  };
}

/** A message as a log line shows it. */
export function describeInput(message: FrontierEvent | JobFinish | ManualRequest): string {
  switch (message.kind) {
    case 'frontier': {
      const partitions = message.partitions
        .map((levels) =>
          levels.map(({ name, value }) => (name === '' ? value : `${name}=${value}`)).join('/'),
        )
        .filter((path) => path !== '');
      return [`${message.db}.${message.table}`, ...partitions].join(' ');
    }
    case 'finish':
      return [
        `${message.hippoName}/${message.jobName}`,
        message.runKey ?? '',
        message.isSuccess ? 'succeeded' : 'failed',
      ]
        .filter((word) => word !== '')
        .join(' ');
    case 'schedule':
      return [message.action, `${message.hippoName}/${message.jobName}`, message.runKey ?? '']
        .filter((word) => word !== '')
        .join(' ');
  }
}

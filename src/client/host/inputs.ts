import { isList, lastHeader, sizeOfHeaders } from '../../core/headers.ts';
import type { HeaderValue, Headers, KafkaRecord, OutgoingRecord } from '../../kafka/port.ts';
import { batchSize, sizeAbove } from '../../kafka/record-size.ts';
import { dlqName } from '../../config/topics.ts';
import { formatOffset, recordRef } from '../../core/record-ref.ts';
import { traceIdOf } from '../../core/ids.ts';
import { RecordFields } from '../../conditions/record.ts';
import { type HippoMessage, type MessageRef, type Rejection, parseMessage } from '../../messages/index.ts';
import type { InputRole } from '../../config/topics.ts';

export type Input =
  | { ok: true; from: MessageRef; message: HippoMessage; record: RecordFields }
  | { ok: false; rejection: Rejection };

/** Reads one record of an input topic; never throws. */
export function readInput(kind: InputRole, record: KafkaRecord): Input {
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
    record: new RecordFields(record),
  };
}

/** A malformed traceparent is dropped: tracing cannot use it, and it may have any length. */
function traceparentOf({ headers }: KafkaRecord): string | undefined {
  const text = lastHeader(headers, 'traceparent')?.toString('latin1');
  return text === undefined || traceIdOf(text) === undefined ? undefined : text;
}

/**
 * What a dead letter may have in all, bytes, where its topic's limit is not known: with Kafka's own bytes it stays below the
 * default of `max.message.bytes`.
 */
const LETTER_BYTES = 1_040_000;
/** What is left at most of a key, a value and the headers of a larger one. */
const CUT_BYTES = 64 * 1024;
/** What is left of the reason where there is hardly any room, characters. */
const REASON_LENGTH = 100;
/** More than the header `dlq.truncated` and longer lengths need, bytes. */
const SPARE = 100;
/** What a header has around its name and value at most, bytes. */
const HEADER_SPARE = 10;

/**
 * The record for the dead letter queue: key, value and headers byte for byte, and where they come from. Of a record that is
 * too large to be written again only the beginning; `dlq.truncated` then says how many bytes it has where it came from. A
 * message may come close to the limit, a compressed one may pass it, and the limit of the dead letters may be a lower one.
 *
 * @param limit bytes that the dead-letter topic takes; Infinity where it is unknown
 */
export function deadLetter(
  record: KafkaRecord,
  rejection: Rejection,
  hippo: string,
  limit = Infinity,
): OutgoingRecord {
  const most = limit === Infinity ? LETTER_BYTES : limit;
  const whole = letterOf(record, rejection, { hippo });
  if (sizeAbove(whole, most) === undefined) return whole;
  const size = (record.key?.length ?? 0) + (record.value?.length ?? 0) + sizeOfHeaders(record.headers);
  const short = { ...rejection, reason: rejection.reason.slice(0, REASON_LENGTH) };
  for (const said of [rejection, short]) {
    const bare = letterOf({ ...record, key: null, value: null, headers: {} }, said, { hippo });
    const room = Math.floor((most - batchSize(bare) - SPARE) / 3);
    if (room > 0 || said === short)
      return letterOf({ ...record, ...cut(record, Math.max(0, Math.min(CUT_BYTES, room))) }, said, {
        hippo,
        size,
      });
  }
  return whole;
}

/** `partition must be …`, one line */
export function rejectionText({ reason, key }: Rejection): string {
  return key === undefined ? reason : `${key} ${reason}`;
}

function letterOf(
  record: KafkaRecord,
  rejection: Rejection,
  { hippo, size }: { hippo: string; /** Of the record, where it is cut. */ size?: number },
): OutgoingRecord {
  const { key, value, headers } = record;
  return {
    topic: dlqName(record.topic),
    key,
    value,
    headers: {
      ...headers,
      'dlq.reason': rejection.reason,
      ...(rejection.key === undefined ? {} : { 'dlq.key': rejection.key }),
      ...(size === undefined ? {} : { 'dlq.truncated': String(size) }),
      'dlq.topic': record.topic,
      ...(record.topicId === undefined ? {} : { 'dlq.topic_id': record.topicId }),
      'dlq.partition': String(record.partition),
      'dlq.offset': formatOffset(record.offset),
      'dlq.timestamp': String(record.timestamp),
      'dlq.hippo': hippo,
    },
  };
}

/** The headers that fit are whole, in their order. */
function cut(
  { key, value, headers }: KafkaRecord,
  most: number,
): Pick<KafkaRecord, 'key' | 'value' | 'headers'> {
  const kept: [string, HeaderValue][] = [];
  let bytes = 0;
  for (const [name, values] of Object.entries(headers)) {
    const size = sizeOfHeaders({ [name]: values }) + HEADER_SPARE * (isList(values) ? values.length : 1);
    if (bytes + size > most) continue;
    kept.push([name, values]);
    bytes += size;
  }
  return {
    key: key?.subarray(0, most) ?? null,
    value: value?.subarray(0, most) ?? null,
    headers: Object.fromEntries(kept) satisfies Headers,
  };
}

/** A message as a log line shows it. */
export function describeInput(message: HippoMessage): string {
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
    case 'start':
      return ['start of', `${message.hippoName}/${message.jobName}`, message.runKey ?? '']
        .filter((word) => word !== '')
        .join(' ');
    case 'schedule':
      return [message.action, `${message.hippoName}/${message.jobName}`, message.runKey ?? '']
        .filter((word) => word !== '')
        .join(' ');
    case 'health':
      return `health of ${message.serviceName}`;
    case 'alert':
      return `alert ${message.alertId} ${message.state}`;
    case 'model':
      return [message.message, message.model ?? ''].filter((word) => word !== '').join(' ');
  }
}

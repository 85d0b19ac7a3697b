import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.ts';
import { dlqName } from '../../config/topics.ts';
import {
  type FrontierEvent,
  type JobFinish,
  type ManualRequest,
  type Rejection,
  parseMessage,
} from '../../messages/index.ts';
import type { Coordinates } from '../machine/types.ts';

/** The topics that a client reads, by what is on them. */
export type InputKind = 'frontier' | 'finish' | 'schedule';

export type Input =
  | { ok: true; from: Coordinates; message: FrontierEvent | JobFinish | ManualRequest }
  | { ok: false; rejection: Rejection };

/** Reads one record of an input topic; never throws. */
export function readInput(kind: InputKind, record: KafkaRecord): Input {
  if (record.value === null) return { ok: false, rejection: { reason: 'the record has no value' } };
  const parsed = parseMessage(kind, record.value);
  if (!parsed.ok) return parsed;
  const traceparent = record.headers['traceparent']?.toString('latin1');
  return {
    ok: true,
    from: {
      topic: record.topic,
      partition: record.partition,
      offset: String(record.offset),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    message: parsed.message,
  };
}

/** The record for the dead letter queue: key, value and headers byte for byte, and where they come from. */
export function deadLetter(record: KafkaRecord, rejection: Rejection, hippo: string): OutgoingRecord {
  return {
    topic: dlqName(record.topic),
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      'dlq.reason': rejection.reason,
      ...(rejection.key === undefined ? {} : { 'dlq.key': rejection.key }),
      'dlq.topic': record.topic,
      'dlq.partition': String(record.partition),
      'dlq.offset': String(record.offset),
      'dlq.timestamp': String(record.timestamp),
      'dlq.hippo': hippo,
    },
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

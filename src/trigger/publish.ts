import { lastHeader } from '../core/headers.ts';
import { newTraceparent } from '../core/ids.ts';
import type { Headers, OutgoingRecord } from '../kafka/port.ts';
import { type FrontierEvent, parseFrontier, partitionPath, serialiseFrontier } from '../messages/index.ts';
import { BACKFILL_HEADER, type BackfillMark, PLAN_HEADER, writeMark } from './mark.ts';
import type { FileMessage } from './file-message.ts';

/** An event as it goes to Kafka, with what people call it. */
export interface PlannedEvent {
  /** Which of those that are published together, from 1; of a file: the line. */
  n: number;
  record: OutgoingRecord & { key: string | Buffer | null };
  /** `btd.party`; null where the message is not an event that we can read. */
  table: string | null;
  /** `yyyymm=201704`; empty for an unpartitioned table. */
  partition: string;
  /** Epoch seconds; null where the message is not an event that we can read. */
  execDate: number | null;
  traceparent: string | null;
}

/**
 * The record of an event. Its key is the table, so that the events of a table stay in order.
 *
 * @param mark where the event is one of a backfill
 */
export function planEvent(
  event: FrontierEvent,
  topic: string,
  mark?: BackfillMark,
  headers: Readonly<Record<string, string>> = {},
): PlannedEvent {
  const traceparent = newTraceparent();
  const { table, partition } = nameOf(event);
  return {
    n: mark?.n ?? 1,
    record: {
      topic,
      key: table,
      value: serialiseFrontier(event),
      headers: {
        traceparent,
        ...(mark === undefined ? {} : { [BACKFILL_HEADER]: writeMark(mark) }),
        ...headers,
      },
    },
    table,
    partition,
    execDate: event.execDate,
    traceparent,
  };
}

/**
 * The record of a line of a file: as it stands, but for the backfill that it belongs to. Its memory is its own.
 *
 * @param n the line
 * @param mark where it is one of a backfill
 */
export function planMessage(
  { key, value, headers }: FileMessage,
  topic: string,
  n: number,
  mark?: BackfillMark,
): PlannedEvent {
  const parsed = value === null ? undefined : parseFrontier(value);
  const own = headers ?? { traceparent: Buffer.from(newTraceparent()) };
  const traceparent = lastHeader(own, 'traceparent');
  return {
    n,
    record: {
      topic,
      key,
      value: value === null ? null : Buffer.from(value),
      headers: mark === undefined ? own : marked(own, mark),
    },
    ...(parsed?.ok === true
      ? { ...nameOf(parsed.message), execDate: parsed.message.execDate }
      : { table: null, partition: '', execDate: null }),
    traceparent: traceparent === undefined ? null : String(traceparent),
  };
}

/** What was tailed may be of a backfill before. */
function marked(headers: Headers, mark: BackfillMark): Headers<Buffer | string> {
  const own = Object.entries(headers).filter(([name]) => name !== PLAN_HEADER);
  return { ...Object.fromEntries(own), [BACKFILL_HEADER]: writeMark(mark) };
}

function nameOf({ db, table, partitions }: FrontierEvent): { table: string; partition: string } {
  return { table: `${db}.${table}`, partition: partitions.map(partitionPath).join(', ') };
}

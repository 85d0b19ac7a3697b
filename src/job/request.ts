import { hostname } from 'node:os';
import { userName } from '../core/user-name.ts';
import { newTraceparent } from '../core/ids.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Kafka } from '../kafka/port.ts';
import { type ManualRequest, type ScheduleAction, serialiseSchedule } from '../messages/index.ts';

/** A request of an operator to a hippo. */
export interface Request {
  hippo: string;
  job: string;
  action: ScheduleAction;
  /** null for the run of the present window. */
  key: string | null;
  by: string;
  reason: string | null;
}

/** A request as it goes to Kafka. */
export interface RequestRecord {
  topic: string;
  /** The hippo's name, so that requests to one hippo stay in order. */
  key: string;
  value: string;
  traceparent: string;
}

/** The operator, as the hippo remembers it: `user@host`. */
export function operator(): string {
  return `${userName()}@${hostname()}`;
}

export function requestRecord(config: Config, request: Request): RequestRecord {
  return {
    topic: topicName(config, 'schedule'),
    key: request.hippo,
    value: serialiseSchedule(manualRequest(request)),
    traceparent: newTraceparent(),
  };
}

/** @returns the record reference of each, in their order; acknowledged by all in-sync replicas */
export async function sendRequests(
  kafka: Pick<Kafka, 'producer'>,
  records: readonly RequestRecord[],
): Promise<RecordRef[]> {
  const producer = await kafka.producer();
  try {
    const sent = await producer.send(
      records.map(({ traceparent, ...record }) => ({ ...record, headers: { traceparent } })),
    );
    return sent.map(recordRef);
  } finally {
    await producer.close();
  }
}

function manualRequest({ hippo, job, action, key, by, reason }: Request): ManualRequest {
  return {
    kind: 'schedule',
    hippoName: hippo,
    jobName: job,
    action,
    ...(key !== null && { runKey: key }),
    by,
    ...(reason !== null && { reason }),
    extra: {},
  };
}

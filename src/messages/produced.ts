/** What says, in an event, that a job has produced it. */
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import type { FrontierEvent, JobFinish } from './types.ts';

/** The firing whose success an event was published with. */
export interface ProducedBy {
  hippoName: string;
  jobName: string;
  jobId: string;
}

/** The field of an event's JSON. */
export const PRODUCED_BY = 'produced_by';

/** To be merged into an event's extra fields. */
export function producedByField({ hippoName, jobName, jobId }: ProducedBy): JsonObject {
  return { [PRODUCED_BY]: { hippo_name: hippoName, job_name: jobName, job_id: jobId } };
}

/** The firing that an event names; undefined: it names none. */
export function producedBy({ extra }: FrontierEvent): ProducedBy | undefined {
  const by = extra[PRODUCED_BY];
  if (!isJsonObject(by)) return undefined;
  const { hippo_name: hippoName, job_name: jobName, job_id: jobId } = by;
  const texts = [hippoName, jobName, jobId].every((value) => typeof value === 'string');
  return texts ? ({ hippoName, jobName, jobId } as ProducedBy) : undefined;
}

/** An event of an output, as the finish message of its firing lists it. */
export interface ProducedEvent {
  /** `db.table` */
  table: string;
  /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
  partition: string;
  /** Epoch seconds. */
  execDate: number;
}

/** To be merged into a finish message's extra fields. */
export function producedField(events: readonly ProducedEvent[]): JsonObject {
  return events.length === 0
    ? {}
    : {
        produced: events.map(({ table, partition, execDate }) => ({
          table,
          partition,
          exec_date: execDate,
        })),
      };
}

/** How many events were published together with a finish message. */
export function countProduced({ extra }: JobFinish): number {
  const produced: Json | undefined = extra['produced'];
  return Array.isArray(produced) ? produced.length : 0;
}

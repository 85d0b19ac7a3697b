import { newTraceparent } from '../core/ids.ts';
import type { Kafka, OutgoingRecord, RecordPlace } from '../kafka/port.ts';
import { type FrontierEvent, partitionPath, serialiseFrontier } from '../messages/index.ts';

/** An event as it goes to Kafka, with what people call it. */
export interface PlannedEvent {
  record: OutgoingRecord & { key: string | Buffer | null };
  /** `btd.party` */
  table: string;
  /** `yyyymm=201704`; empty for an unpartitioned table. */
  partition: string;
  traceparent: string;
}

/** The record of an event. Its key is the table, so that the events of a table stay in order. */
export function planEvent(event: FrontierEvent, topic: string, traceparent = newTraceparent()): PlannedEvent {
  const table = `${event.db}.${event.table}`;
  return {
    record: { topic, key: table, value: serialiseFrontier(event), headers: { traceparent } },
    table,
    partition: event.partitions.map(partitionPath).join(', '),
    traceparent,
  };
}

/** @returns where each event went, in their order; acknowledged by all in-sync replicas */
export async function publish(
  kafka: Pick<Kafka, 'producer'>,
  events: readonly PlannedEvent[],
): Promise<RecordPlace[]> {
  const producer = await kafka.producer();
  try {
    return await producer.send(events.map(({ record }) => record));
  } finally {
    await producer.close();
  }
}

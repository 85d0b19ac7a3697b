/** Whether runs start in the order in which their events are published. */
import type { Config } from '../config/schema.ts';
import { tablesOf } from './event.ts';

/** A job of this hippo.yaml whose runs do not start newest first although their events are published so. */
export interface OtherOrder {
  job: string;
  order: 'oldest' | 'newest' | 'arrival';
  concurrency: number;
}

/** @param tables `db.table`, of the events of a range that is published backwards */
export function otherOrders(tables: readonly string[], { jobs }: Pick<Config, 'jobs'>): OtherOrder[] {
  const published = new Set(tables.map((table) => table.toLowerCase()));
  return Object.entries(jobs).flatMap(([job, { needs, every, order: set, concurrency }]): OtherOrder[] => {
    const isConcerned = needs.flatMap(tablesOf).some((table) => published.has(table.toLowerCase()));
    const order = set ?? (every === 'event' ? 'arrival' : 'oldest');
    return isConcerned && (order !== 'arrival' || concurrency !== 1) ? [{ job, order, concurrency }] : [];
  });
}

/** The events of landings that a source finds, or a service announces. */
import { type Millis, epochSeconds } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FrontierEvent, Partition } from '../../messages/types.ts';
import type { Announcement } from '../../state/index.ts';
import type { Draft } from './draft.ts';

/** Its own time, not later than now; of a re-landing, later than the one before: consumers take an equal exec_date for a duplicate. */
export function execDateOf(
  { landedAt }: { readonly landedAt: Millis },
  before: Announcement | undefined,
  now: Millis,
): number {
  const own = Math.max(0, Math.min(epochSeconds(landedAt), epochSeconds(now)));
  return before === undefined ? own : Math.max(own, before.execDate + 1);
}

export interface Announced extends Pick<FrontierEvent, 'db' | 'table' | 'dialect' | 'method'> {
  partition: Partition;
  /** Who announces it: the source or the service. */
  by: Readonly<Record<string, string>>;
  extra?: JsonObject;
}

export function eventOf(
  { definition }: Draft,
  { db, table, dialect, method, partition, by, extra = {} }: Announced,
  execDate: number,
): FrontierEvent {
  return {
    kind: 'frontier',
    dialect,
    db,
    table,
    partitions: [partition],
    method,
    execDate,
    extra: { ...extra, announced_by: { hippo_name: definition.hippo, ...by } },
  };
}

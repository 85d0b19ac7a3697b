import { type Json, type JsonObject, isJsonObject, parsePlainJson } from '../core/json.ts';
import { FRONTIER_DIALECTS, type FrontierDialect, type PartitionField } from '../messages/index.ts';
import { readFormat } from './format.ts';
import { type WindowUnit, readWindowUnit } from '../windows/units.ts';
import { PLAN_HEADER } from './mark.ts';
import { type PlannedEvent, planEvent } from './publish.ts';
import { type RangeClock, partitionsIn } from './range.ts';

/** All that makes the events of a range, the same on every machine and at any time. */
export interface RangePlan {
  db: string;
  table: string;
  method: string;
  dialect: FrontierDialect;
  /** Epoch seconds, the same for all: an event that is published twice is a duplicate, not a re-landing. */
  exec_date: number;
  /** Level name to pattern, outermost first. */
  partition: PartitionField[];
  /** As it was typed. */
  range: string;
  backwards: boolean;
  calendar: RangeClock['calendar'];
  every?: WindowUnit;
}

/** The events of a range, in the order in which they are published. */
export function rangeEvents(plan: RangePlan, topic: string, id: string): PlannedEvent[] {
  const partitions = partitionsIn(plan.range, readFormat(plan.partition), plan);
  if (plan.backwards) partitions.reverse();
  const headers = { [PLAN_HEADER]: JSON.stringify(plan) };
  return partitions.map((partition, index) => {
    const { db, table, method, dialect, exec_date: execDate } = plan;
    const event = {
      kind: 'frontier',
      db,
      table,
      method,
      dialect,
      execDate,
      partitions: [partition],
      extra: {},
    } as const;
    return planEvent(event, topic, { id, n: index + 1, total: partitions.length }, headers);
  });
}

/** Reads the header `hippo-backfill-plan`; undefined: it is none of ours. */
export function readPlan(text: string): RangePlan | undefined {
  const plan = parseObject(text);
  if (plan === undefined) return undefined;
  const { db, table, method, exec_date, range, backwards, partition, calendar, every } = plan;
  const dialect = FRONTIER_DIALECTS.find((known) => known === plan['dialect']);
  const fine =
    [db, table, method, range].every((value) => typeof value === 'string') &&
    typeof exec_date === 'number' &&
    typeof backwards === 'boolean' &&
    Array.isArray(partition) &&
    partition.every(isLevel) &&
    isCalendar(calendar) &&
    (every === undefined || (typeof every === 'string' && 'unit' in readWindowUnit(every))) &&
    dialect !== undefined;
  return fine ? (plan as unknown as RangePlan) : undefined;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parsePlainJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLevel(value: Json): boolean {
  return isJsonObject(value) && typeof value['name'] === 'string' && typeof value['value'] === 'string';
}

function isCalendar(value: Json | undefined): boolean {
  return (
    isJsonObject(value) && typeof value['timezone'] === 'string' && typeof value['day_starts'] === 'string'
  );
}

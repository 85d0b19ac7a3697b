/** Which partitions of which tables an event names. Pure. */
import { parseFrontier } from '../messages/index.ts';
import type { FrontierEvent, Partition } from '../messages/types.ts';
import type { TableSpec } from './partitions.ts';

/** What has landed: all partitions of a table whose outermost levels have these values. */
export interface Landing {
  table: TableSpec;
  /** No values: the whole table. */
  values: readonly string[];
  /** The exec_date of its event, epoch seconds; null: it was there before the service's first start. */
  since: number | null;
}

/** @returns null: the text is no event, e.g. that a job has finished */
export function eventOf(text: string): FrontierEvent | null {
  const parsed = parseFrontier(text);
  return parsed.ok ? parsed.message : null;
}

/** The landings of an event in these tables; names are compared without case, as everywhere in hippo. */
export function landingsOf(event: FrontierEvent, tables: readonly TableSpec[]): Landing[] {
  const name = `${event.db}.${event.table}`.toLowerCase();
  return tables
    .filter((table) => table.name.toLowerCase() === name)
    .flatMap((table) =>
      event.partitions.map((partition) => ({
        table,
        values: valuesOf(table, partition),
        since: event.execDate,
      })),
    );
}

/** The values of the outermost levels, as far as the event names them without a gap. */
function valuesOf({ levels }: TableSpec, partition: Partition): string[] {
  const values: string[] = [];
  for (const [index, level] of levels.entries()) {
    const named =
      partition.find(({ name }) => name.toLowerCase() === level.name.toLowerCase()) ??
      (partition[index]?.name === '' ? partition[index] : undefined);
    if (named === undefined || named.value === '') break;
    values.push(named.value);
  }
  return values;
}

/** Names it for an operator: `shop.orders dt=2026-01-31`. */
export function landingName({ table, values }: Landing): string {
  const path = values.map((value, index) => `${table.levels[index]?.name ?? ''}=${value}`).join('/');
  return path === '' ? table.name : `${table.name} ${path}`;
}

/** Which partitions of a table are visible, and since which event: what is remembered over restarts. Pure. */
import { createHash } from 'node:crypto';
import { isJsonObject, type Json } from '../core/json.ts';
import type { DataFile, TableSpec } from './partitions.ts';

export interface VisiblePartition {
  /** As in the table's folder. */
  path: string;
  values: readonly string[];
  files: readonly DataFile[];
  /** The snapshot with its files; null: they are read from the table's folder. */
  snapshot: number | null;
  /** The exec_date of the event that made it visible, epoch seconds; null: it was there before the service's first start. */
  since: number | null;
}

/** Of one table, by path. */
export type VisibleTable = ReadonlyMap<string, VisiblePartition>;
/** By `db.table`. */
export type Visible = ReadonlyMap<string, VisibleTable>;

/** A text that is the same where the same files are visible, on another machine too. */
export function tableVersion(table: VisibleTable): string {
  const hash = createHash('sha256');
  for (const path of [...table.keys()].sort())
    for (const { name, size, modified } of table.get(path)?.files ?? [])
      hash.update(`${path}\0${name}\0${size}\0${modified}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** The version of several tables together. */
export function versionOf(visible: Visible, tables: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of [...tables].sort())
    hash.update(`${name}\0${tableVersion(visible.get(name) ?? new Map<string, VisiblePartition>())}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** The newest partition by the values of its levels. */
export function newestOf({ levels }: TableSpec, table: VisibleTable): VisiblePartition | null {
  const compare = (left: VisiblePartition, right: VisiblePartition): number => {
    for (const [index, { type }] of levels.entries()) {
      const [one = '', other = ''] = [left.values[index], right.values[index]];
      const order = type === 'integer' ? Number(one) - Number(other) : one < other ? -1 : Number(one > other);
      if (order !== 0) return order;
    }
    return 0;
  };
  return [...table.values()].sort(compare).at(-1) ?? null;
}

export function snapshotsIn(visible: Visible): Set<number> {
  return new Set(
    [...visible.values()].flatMap((table) =>
      [...table.values()].flatMap(({ snapshot }) => (snapshot === null ? [] : [snapshot])),
    ),
  );
}

export function visibleToJson(visible: Visible): Json {
  return Object.fromEntries(
    [...visible].map(([name, table]) => [
      name,
      [...table.values()].map(({ path, values, files, snapshot, since }) => ({
        path,
        values: [...values],
        files: files.map(({ name: file, size, modified }) => [file, size, modified]),
        snapshot,
        since,
      })),
    ]),
  );
}

/** @returns null: it is not what {@link visibleToJson} wrote */
export function visibleFromJson(json: unknown): Visible | null {
  if (!isJsonObject(json)) return null;
  const tables = new Map<string, VisibleTable>();
  for (const [name, list] of Object.entries(json)) {
    if (!Array.isArray(list)) return null;
    const partitions = list.map(partitionOf);
    if (!partitions.every((one) => one !== null)) return null;
    tables.set(name, new Map(partitions.map((one) => [one.path, one])));
  }
  return tables;
}

function partitionOf(json: Json): VisiblePartition | null {
  if (!isJsonObject(json)) return null;
  const { path, values, files, snapshot, since } = json;
  if (typeof path !== 'string' || !isTexts(values) || !Array.isArray(files)) return null;
  if (!isNumberOrNull(snapshot) || !isNumberOrNull(since)) return null;
  const read = files.map((file): DataFile | null => {
    if (!Array.isArray(file)) return null;
    const [name, size, modified] = file;
    return typeof name === 'string' && typeof size === 'number' && typeof modified === 'number'
      ? { name, size, modified }
      : null;
  });
  return read.every((file) => file !== null) ? { path, values, files: read, snapshot, since } : null;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || typeof value === 'number';
}

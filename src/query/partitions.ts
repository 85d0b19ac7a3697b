/** What lies in the folder of a table: its partitions, and their files. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LevelType } from '../config/queries-schema.ts';

export interface TableSpec {
  /** `db.table` */
  name: string;
  /** Absolute. */
  location: string;
  /** Outermost first; empty for an unpartitioned table. */
  levels: readonly { name: string; type: LevelType }[];
  columns: 'same' | 'union';
}

export interface DataFile {
  name: string;
  size: number;
  /** Microseconds since 1970. */
  modified: number;
}

/** A partition as it lies in the folder at one moment. */
export interface ListedPartition {
  /** Below the table's folder, as it is written there: `dt=2026-01-31/region=us`; empty for an unpartitioned table. */
  path: string;
  /** The value of each level. */
  values: readonly string[];
  files: readonly DataFile[];
  /** When a file was last added, removed or changed; epoch milliseconds. */
  changedAt: number;
  /** A program is writing to it: Spark's folder for unfinished files is there. */
  isBeingWritten: boolean;
}

/**
 * The partitions whose outermost levels have these values: with no values all, with one for each level at most one. A folder
 * without Parquet files is no partition.
 */
export async function listPartitions(
  table: TableSpec,
  values: readonly string[],
): Promise<ListedPartition[]> {
  const found: ListedPartition[] = [];
  const descend = async (path: readonly string[], ofPath: readonly string[]): Promise<void> => {
    const level = table.levels[path.length];
    const folder = join(table.location, ...path);
    if (level === undefined) {
      const partition = await listFolder(folder, path.join('/'), ofPath);
      if (partition !== null) found.push(partition);
      return;
    }
    const wanted = values[path.length];
    for (const { name, value } of await foldersOf(folder, level.name))
      if (wanted === undefined || wanted === value) await descend([...path, name], [...ofPath, value]);
  };
  await descend([], []);
  return found;
}

/** The folders `level=value`, by the level's name in any case. */
async function foldersOf(folder: string, level: string): Promise<{ name: string; value: string }[]> {
  const prefix = `${level.toLowerCase()}=`;
  return (await entriesOf(folder))
    .filter(({ name }) => name.toLowerCase().startsWith(prefix))
    .map(({ name }) => ({ name, value: decoded(name.slice(prefix.length)) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

async function listFolder(
  folder: string,
  path: string,
  values: readonly string[],
): Promise<ListedPartition | null> {
  // Before the entries: a change that comes in between makes the next look differ.
  const before = await changedAt(folder);
  const entries = await entriesOf(folder);
  const files: DataFile[] = [];
  for (const { name } of entries.filter(isData)) {
    const { size, mtimeMs } = await stat(join(folder, name));
    files.push({ name, size, modified: Math.round(mtimeMs * 1_000) });
  }
  if (files.length === 0) return null;
  return {
    path,
    values,
    files: files.sort((left, right) => (left.name < right.name ? -1 : 1)),
    changedAt: Math.max(before, ...files.map(({ modified }) => modified / 1_000)),
    isBeingWritten: entries.some(({ name }) => /^(_temporary|\.(spark|hive)-staging)/.test(name)),
  };
}

/** Names that begin with "_" or "." are not data, by the convention of Hadoop's programs. */
function isData(entry: Dirent): boolean {
  return !/^[._]/.test(entry.name) && entry.name.endsWith('.parquet') && !entry.isDirectory();
}

async function changedAt(folder: string): Promise<number> {
  try {
    return (await stat(folder)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether nothing has changed between two looks. */
export function isSameListing(left: readonly ListedPartition[], right: readonly ListedPartition[]): boolean {
  return textOf(left) === textOf(right);
}

function textOf(partitions: readonly ListedPartition[]): string {
  return JSON.stringify(partitions.map(({ path, files, changedAt: at }) => [path, files, at]));
}

/** Spark and Hive write characters that are special in paths as %XX. */
function decoded(value: string): string {
  return value.replaceAll(/(%[\dA-Fa-f]{2})+/g, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}

/** The same for {@link decoded}, and without the characters that DuckDB takes for a pattern. */
export function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[*!'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

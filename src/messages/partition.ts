import type { Partition, PartitionField } from './types.ts';

/** The characters that Hive escapes in the directory name of a partition (org.apache.hadoop.hive.common.FileUtils.charToEscape). */
// eslint-disable-next-line no-control-regex -- control characters are what Hive escapes
const ESCAPED = /[\u0001-\u001f\u007f"#%'*/:=?\\{[\]^]/g;

/**
 * A partition as Hive writes its directory: `yyyymm=201704/region=us`. A level without a name is its bare value; the
 * empty partition is the empty text.
 */
export function partitionPath(partition: Partition): string {
  return partition
    .map(({ name, value }) => (name === '' ? escape(value) : `${escape(name)}=${escape(value)}`))
    .join('/');
}

/** The reverse of {@link partitionPath}; undefined if a level is blank or is named twice. */
export function parsePartitionPath(path: string): Partition | undefined {
  if (path === '') return [];
  const levels = path.split('/').map(parseLevel);
  const names = levels.map(({ name }) => name).filter((name) => name !== '');
  const fine = levels.every(({ value }) => value !== '') && new Set(names).size === names.length;
  return fine ? levels : undefined;
}

/** Level name to value. A level without a name is listed under its position, from 0. */
export function partitionValues(partition: Partition): Record<string, string> {
  return Object.fromEntries(
    partition.map(({ name, value }, index) => [name === '' ? String(index) : name, value]),
  );
}

function parseLevel(text: string): PartitionField {
  const equals = text.indexOf('=');
  return equals === -1
    ? { name: '', value: unescape(text) }
    : { name: unescape(text.slice(0, equals)), value: unescape(text.slice(equals + 1)) };
}

function escape(text: string): string {
  return text.replace(
    ESCAPED,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function unescape(text: string): string {
  return text.replace(/%([\da-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

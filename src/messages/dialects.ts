import { UserError } from '../core/errors.ts';
import { firstTwice } from '../core/twice.ts';
import { type Json, type JsonObject, isJsonObject, nativeOf } from '../core/json.ts';
import { MAX_PARTITION_LENGTH, Refusal } from './decode.ts';
import { mismatch, name, seconds, text, writeSeconds } from './fields.ts';
import { type FrontierDialect, type Partition, type PartitionField } from './types.ts';

/** How one dialect writes the partitions and the time of an event. The other fields are the same in all dialects. */
interface Dialect {
  /** The fields that this dialect reads besides db, table and method. */
  readonly fields: readonly string[];
  readonly dateField: 'exec_date' | 'timestamp';
  readonly readPartitions: (object: JsonObject) => Partition[];
  /** @throws UserError if the dialect cannot express the partitions */
  readonly writePartitions: (partitions: readonly Partition[]) => JsonObject;
  readonly writeDate: (execDate: number) => Json;
}

const pairs: Dialect = {
  fields: ['partition', 'exec_date'],
  dateField: 'exec_date',
  readPartitions: ({ partition }) => {
    const levels = list(partition, 'partition').map((entry, index) => {
      const key = `partition[${index}]`;
      if (!isJsonObject(entry)) throw mismatch('an object', entry, key);
      return level(text(entry['name'], `${key}.name`), entry['value'], `${key}.value`);
    });
    return [checked(levels, 'partition')];
  },
  writePartitions: (partitions) => {
    const partition = onlyPartition(partitions, 'pairs');
    return {
      partition:
        partition.length === 0 ? [{ name: '', value: '' }] : partition.map((field) => ({ ...field })),
    };
  },
  writeDate: (execDate) => String(writeSeconds(execDate)),
};

const arrays: Dialect = {
  fields: ['partition_fields', 'partition_values', 'exec_date'],
  dateField: 'exec_date',
  readPartitions: (object) => {
    const fields = list(object['partition_fields'], 'partition_fields');
    const values = list(object['partition_values'], 'partition_values');
    return [zip(fields, values, (index) => `partition_values[${index}]`)];
  },
  writePartitions: (partitions) => {
    const partition = onlyPartition(partitions, 'arrays');
    return {
      partition_values: partition.map(({ value }) => value),
      partition_fields: partition.map(({ name }) => name),
    };
  },
  writeDate: writeSeconds,
};

const scalars: Dialect = {
  fields: ['partition_fields', 'partition_values', 'timestamp'],
  dateField: 'timestamp',
  readPartitions: (object) => {
    const { partition_fields = '', partition_values = '' } = object;
    const fields = text(partition_fields, 'partition_fields');
    const values = text(partition_values, 'partition_values');
    if (fields === '' && values === '') return [[]];
    return [zip(fields.split('/'), values.split('/'), () => 'partition_values')];
  },
  writePartitions: (partitions) => {
    const partition = onlyPartition(partitions, 'scalars');
    const slash = partition.find((field) => field.name.includes('/') || field.value.includes('/'));
    if (slash !== undefined) throw inexpressible('scalars', `a "/" in the partition level ${slash.name}`);
    return {
      partition_fields: partition.map(({ name }) => name).join('/'),
      partition_values: partition.map(({ value }) => value).join('/'),
    };
  },
  writeDate: writeSeconds,
};

const legacy: Dialect = {
  fields: ['partitions', 'exec_date'],
  dateField: 'exec_date',
  readPartitions: ({ partitions }) => {
    const read = list(partitions, 'partitions').map((value, index) =>
      checked([level('', value, `partitions[${index}]`)], `partitions[${index}]`),
    );
    return read.length === 0 ? [[]] : read;
  },
  writePartitions: (partitions) => {
    if (partitions.some((partition) => partition.length > 1))
      throw inexpressible('legacy', 'a partition of several levels');
    return { partitions: partitions.flatMap((partition) => partition.map(({ value }) => value)) };
  },
  writeDate: (execDate) =>
    new Date(execDate * 1000)
      .toISOString()
      .replace(/^(\d+)-(\d+)-/, '$1/$2/')
      .replace('.000Z', 'Z'),
};

export const DIALECTS: Readonly<Record<FrontierDialect, Dialect>> = { pairs, arrays, scalars, legacy };

/**
 * The dialect of an event, by the field that holds its partition. If several fields could, the first one is read and the
 * others stay unknown fields; if there is none, the form of the date decides.
 */
export function dialectOf(object: JsonObject): FrontierDialect {
  if (object['partition'] !== undefined) return 'pairs';
  const flat = object['partition_fields'] ?? object['partition_values'];
  if (flat !== undefined) return typeof flat === 'string' ? 'scalars' : 'arrays';
  if (object['partitions'] !== undefined) return 'legacy';
  const date = object['exec_date'];
  if (date === undefined) return object['timestamp'] === undefined ? 'pairs' : 'scalars';
  if (nativeOf(date) !== undefined) return 'arrays';
  return typeof date === 'string' && date.includes('T') ? 'legacy' : 'pairs';
}

/** Epoch seconds of an exec_date: seconds as a number or as text, or a date (`2017/04/05T00:00:00Z`, ISO 8601). */
export function readExecDate(value: Json | undefined, key: string): number {
  const iso = typeof value === 'string' ? isoSeconds(value) : undefined;
  if (iso !== undefined) return iso;
  if (typeof value === 'string' && !/^\d+(\.\d+)?$/.test(value)) {
    throw new Refusal('must be epoch seconds or a date such as 2017-04-05T00:00:00Z', key);
  }
  return seconds(value, key);
}

const DATE = /^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** A date without a zone is UTC. */
function isoSeconds(value: string): number | undefined {
  const match = DATE.exec(value);
  if (match === null) return undefined;
  // Groups that did not match are undefined, although the type says string.
  const parts: (string | undefined)[] = match.slice(1, 7);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) =>
    Number(part ?? 0),
  );
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // Date rolls over values that do not exist, such as the 30th of February or the 25th hour.
  const exists =
    utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  const fraction = Number(match[7] ?? 0);
  return exists ? utc.getTime() / 1000 + fraction - zoneSeconds(match[8]) : undefined;
}

function zoneSeconds(zone: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '');
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3]) * 60);
}

/** An unpartitioned table's field is an empty list, null or left out. */
function list(value: Json | undefined, key: string): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw mismatch('a list', value, key);
  return value;
}

function zip(fields: readonly Json[], values: readonly Json[], keyOf: (index: number) => string): Partition {
  if (fields.length !== values.length) {
    throw new Refusal(
      `has ${values.length} values for ${fields.length} partition_fields`,
      'partition_values',
    );
  }
  const levels = values.map((value, index) => {
    const field = text(fields[index], keyOf(index).replace('partition_values', 'partition_fields'));
    return level(field, value, keyOf(index));
  });
  return checked(levels, 'partition_values');
}

/** One level: both blank (the unpartitioned table's form), a named value, or a bare value. */
function level(fieldName: string, value: Json | undefined, key: string): PartitionField {
  // Some producers write 201704 for "201704".
  const number = nativeOf(value);
  const found = typeof number === 'bigint' || Number.isSafeInteger(number) ? String(number) : value;
  if (found === '' && fieldName === '') return { name: '', value: '' };
  return {
    name: fieldName === '' ? '' : name(fieldName, key.replace('value', 'name')),
    value: name(found, key),
  };
}

function checked(levels: PartitionField[], key: string): Partition {
  if (levels.length === 1 && levels[0]?.value === '') return [];
  const length = levels.reduce((sum, { name: text, value }) => sum + text.length + value.length, 0);
  if (length > MAX_PARTITION_LENGTH)
    throw new Refusal(`must have at most ${MAX_PARTITION_LENGTH} characters in all its levels`, key);
  if (levels.some(({ value }) => value === '')) throw new Refusal('has a blank level beside others', key);
  const names = levels.map((field) => field.name).filter((field) => field !== '');
  const twice = firstTwice(names);
  if (twice !== undefined) throw new Refusal(`names the level ${twice} twice`, key);
  return levels;
}

/**
 * @param dialect of the event [default: that it can be read is enough]
 * @returns why no event can carry the partition, as a reader of the event would say it; undefined: one can
 */
export function partitionProblem(partition: Partition, dialect?: FrontierDialect): string | undefined {
  try {
    pairs.readPartitions({ partition: partition.map((field) => ({ ...field })) });
    if (dialect !== undefined) DIALECTS[dialect].writePartitions([partition]);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    if (!(error instanceof Refusal)) throw error;
    return error.key === undefined ? error.message : `${error.key} ${error.message}`;
  }
}

function onlyPartition(partitions: readonly Partition[], dialect: FrontierDialect): Partition {
  if (partitions.length > 1) throw inexpressible(dialect, `${partitions.length} partitions in one event`);
  return partitions[0] ?? [];
}

function inexpressible(dialect: FrontierDialect, what: string): UserError {
  return new UserError(`the ${dialect} dialect cannot express ${what}`, {
    next: ['Write one event a partition, or choose another dialect.'],
  });
}

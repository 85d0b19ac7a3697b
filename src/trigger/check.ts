import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import type { PartitionField } from '../messages/index.ts';
import { isFiner } from '../windows/units.ts';
import {
  type LevelFormat,
  type PartitionFormat,
  describeFormat,
  formatPartition,
  isDate,
  formatUnit,
  readDate,
} from './format.ts';
import type { TableNeed } from './needs.ts';

/** For examples. */
const SAMPLE = Date.UTC(2017, 3, 28, 5);

/**
 * Refuses a partition that no job of this hippo.yaml could read: another number of levels, a level that does not exist,
 * a date written in another way. If hippo.yaml does not define the form, every partition is allowed.
 *
 * @throws UserError that names what is allowed
 */
export function checkPartition(
  table: string,
  partition: readonly PartitionField[],
  needs: readonly TableNeed[],
): void {
  const [first] = needs;
  if (first === undefined || needs.some(({ format }) => fits(partition, format))) return;
  // The error compares the partition with the nearest format.
  const { job, format } = needs.find((need) => sameNames(partition, need.format)) ?? first;
  throw sameNames(partition, format)
    ? unreadable(table, partition, format, job)
    : misnamed(table, partition, format, job);
}

function fits(partition: readonly PartitionField[], format: PartitionFormat): boolean {
  return (
    sameNames(partition, format) &&
    format.every((level) => !isDate(level) || isWrittenAs(level, valueOf(partition, level)))
  );
}

function isWrittenAs({ pattern }: LevelFormat, value: string): boolean {
  return pattern.parse(value) !== undefined;
}

function sameNames(partition: readonly PartitionField[], format: PartitionFormat): boolean {
  return (
    partition.length === format.length && format.every((level) => levelOf(partition, level) !== undefined)
  );
}

/** Hive ignores case in names of columns. */
function levelOf(partition: readonly PartitionField[], { name }: LevelFormat): PartitionField | undefined {
  return partition.find((level) => level.name.toLowerCase() === name.toLowerCase());
}

function valueOf(partition: readonly PartitionField[], level: LevelFormat): string {
  return levelOf(partition, level)?.value ?? '';
}

function unreadable(
  table: string,
  partition: readonly PartitionField[],
  format: PartitionFormat,
  job: string,
): UserError {
  const wrong = format.find((level) => isDate(level) && !isWrittenAs(level, valueOf(partition, level)));
  const level = wrong ?? format[0];
  if (level === undefined) throw new Error('a format without levels fits every partition without levels');
  const value = valueOf(partition, level);
  const meant = readDate(value, []);
  const unit = formatUnit(format);
  const usable = meant !== undefined && unit !== undefined && !isFiner(unit, meant.unit);
  const mended = partition.map((one) =>
    one.name === levelOf(partition, level)?.name
      ? { ...one, value: level.pattern.format(usable ? meant.from : SAMPLE) }
      : one,
  );
  return new UserError(`--partition ${level.name}=${value} does not parse`, {
    why: `The job ${job} needs ${table} with ${level.name} written as ${level.pattern.source}, such as ${level.pattern.format(SAMPLE)}.`,
    next: [commandFor(table, mended)],
  });
}

function misnamed(
  table: string,
  partition: readonly PartitionField[],
  format: PartitionFormat,
  job: string,
): UserError {
  const names = format.map(({ name }) => name);
  const unknown = partition.find(
    ({ name }) => !names.some((one) => one.toLowerCase() === name.toLowerCase()),
  );
  const said = partition.map(({ name, value }) => `${name}=${value}`).join('/');
  return new UserError(
    partition.length === 0
      ? `${table} has a partition: which one has landed?`
      : `${table} has no partition ${said}`,
    {
      why: [
        unknown === undefined ? undefined : didYouMean(unknown.name, names),
        format.length === 0
          ? `The job ${job} needs it without a partition.`
          : `The job ${job} needs it by ${describeFormat(format)}.`,
      ]
        .filter((line) => line !== undefined)
        .join(' '),
      next: [commandFor(table, formatPartition(format, SAMPLE))],
    },
  );
}

function commandFor(table: string, partition: readonly PartitionField[]): string {
  return [
    'hippo trigger',
    `--table ${table}`,
    ...partition.map(({ name, value }) => `--partition ${name}=${value}`),
  ].join(' ');
}

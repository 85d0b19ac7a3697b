import type { Millis } from '../core/clock.ts';
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

/**
 * Refuses a partition that no job of this hippo.yaml could read: another number of levels, a level that does not exist,
 * a date written in another way. If hippo.yaml does not define the form, every partition is allowed.
 *
 * @param now the date of the examples where the partition names none
 * @throws UserError that names what is allowed
 */
export function checkPartition(
  table: string,
  partition: readonly PartitionField[],
  needs: readonly TableNeed[],
  now: Millis,
): void {
  const [first] = needs;
  if (first === undefined || needs.some(({ format }) => fits(partition, format))) return;
  // The error compares the partition with the nearest format.
  const { job, format } = needs.find((need) => sameNames(partition, need.format)) ?? first;
  throw sameNames(partition, format)
    ? unreadable(table, partition, { job, format }, now)
    : misnamed(table, partition, { job, format }, now);
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
  { format, job }: Pick<TableNeed, 'format' | 'job'>,
  now: Millis,
): UserError {
  const wrong = format.find((level) => isDate(level) && !isWrittenAs(level, valueOf(partition, level)));
  const level = wrong ?? format[0];
  if (level === undefined) throw new Error('a format without levels fits every partition without levels');
  const value = valueOf(partition, level);
  const date = dateOf([value], format) ?? now;
  const mended = partition.map((one) =>
    one.name === levelOf(partition, level)?.name ? { ...one, value: level.pattern.format(date) } : one,
  );
  return new UserError(`--partition ${level.name}=${value} does not parse`, {
    why: `The job ${job} needs ${table} with ${level.name} written as ${level.pattern.source}, such as ${level.pattern.format(date)}.`,
    next: [commandFor(table, mended)],
  });
}

function misnamed(
  table: string,
  partition: readonly PartitionField[],
  { format, job }: Pick<TableNeed, 'format' | 'job'>,
  now: Millis,
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
      next: [commandFor(table, asNeeded(partition, format, now))],
    },
  );
}

/** The partition in the form that is needed, with what was typed as far as it can be used. */
function asNeeded(
  partition: readonly PartitionField[],
  format: PartitionFormat,
  now: Millis,
): PartitionField[] {
  const values = partition.map(({ value }) => value);
  const example = formatPartition(format, dateOf(values, format) ?? now);
  return format.map((level, index) => {
    const typed = levelOf(partition, level);
    const usable = typed !== undefined && (!isDate(level) || isWrittenAs(level, typed.value));
    return { name: level.name, value: usable ? typed.value : (example[index]?.value ?? '') };
  });
}

/** The first date among the values that is precise enough for the format. */
function dateOf(values: readonly string[], format: PartitionFormat): Millis | undefined {
  const unit = formatUnit(format);
  return values
    .map((value) => readDate(value, []))
    .find((date) => date !== undefined && unit !== undefined && !isFiner(unit, date.unit))?.from;
}

function commandFor(table: string, partition: readonly PartitionField[]): string {
  return [
    'hippo trigger',
    `--table ${table}`,
    ...partition.map(({ name, value }) => `--partition ${name}=${value}`),
  ].join(' ');
}

import { type DatePattern, DIRECTIVES, datePattern, dateUnitOf } from '../windows/index.ts';
import { DATE_UNITS, type DateRules, type DateUnit, UNITS } from '../windows/units.ts';
import type { Millis } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { PartitionField } from '../messages/index.ts';

/** How one level of a table's partition is written: as a date, or with the same text in every event. */
export interface LevelFormat {
  name: string;
  /** Without directives: the text itself. */
  pattern: DatePattern;
}

/** How a table's partition is written; outermost level first. */
export type PartitionFormat = readonly LevelFormat[];

/** A level as hippo.yaml and headers keep it. */
export function formatSources(format: PartitionFormat): PartitionField[] {
  return format.map(({ name, pattern }) => ({ name, value: pattern.source }));
}

/**
 * @param levels the values are patterns; a `%` that is none is `%%`
 * @throws UserError for a directive that does not exist
 */
export function readFormat(levels: readonly PartitionField[]): PartitionFormat {
  return levels.map(({ name, value }) => {
    const pattern = datePattern(value);
    if (!('unknown' in pattern)) return { name, pattern };
    throw new UserError(`--partition ${name}=${value} uses ${pattern.unknown || '%'}, which does not exist`, {
      why: `Known are ${DIRECTIVES}.`,
      next: [`hippo trigger --partition ${name}=%Y%m --range 2017-01..2017-12`],
    });
  });
}

export function isDate({ pattern }: LevelFormat): boolean {
  return dateUnitOf(pattern.directives) !== undefined;
}

/** How long the date of one partition lasts; undefined: no level is a date, or none of them tells the year. */
export function formatUnit(format: PartitionFormat): DateUnit | undefined {
  const directives = format.map(({ pattern }) => pattern.directives).join('');
  return tellsYear(directives) ? dateUnitOf(directives) : undefined;
}

function tellsYear(directives: string): boolean {
  return UNITS.year.dates.directives.some((letter) => directives.includes(letter));
}

/** @param date written as if it were UTC */
export function formatPartition(format: PartitionFormat, date: Millis): PartitionField[] {
  return format.map(({ name, pattern }) => ({ name, value: pattern.format(date) }));
}

/** `yyyymm=%Y%m/region=us`: how the partition is written, as people say it. */
export function describeFormat(format: PartitionFormat): string {
  return format.map(({ name, pattern }) => `${name}=${pattern.source.replaceAll('%%', '%')}`).join('/');
}

/** A moment and how long what it names lasts. */
export interface DateText {
  from: Millis;
  unit: DateUnit;
}

const COARSEST_FIRST = [...DATE_UNITS].reverse();

/** Dates as people and partitions write them, from the coarsest to the finest. */
const FORMS = COARSEST_FIRST.flatMap((unit) => UNITS[unit].dates.forms).map(
  (source) => datePattern(source) as DatePattern,
);

/** What {@link readDate} reads, for error messages. */
export const DATE_FORMS = COARSEST_FIRST.flatMap((unit) => exampleOf(unit))
  .join(', ')
  .replace(/, ([^,]*)$/, ' or $1');

function exampleOf(unit: DateUnit): string[] {
  const { dates }: { dates: DateRules } = UNITS[unit];
  return dates.example === undefined ? [] : [dates.example];
}

/** Reads a date in the table's own format, or in one of the usual ones. */
export function readDate(text: string, format: PartitionFormat): DateText | undefined {
  const own = format.filter((level) => isDate(level) && formatUnit([level]) !== undefined);
  // Of partitions by the minute, 05:00 is a minute; else it is an hour.
  const forms = formatUnit(format) === 'minute' ? FORMS.toReversed() : FORMS;
  for (const pattern of [...own.map((level) => level.pattern), ...forms]) {
    const unit = dateUnitOf(pattern.directives);
    const from = pattern.parse(text);
    if (unit !== undefined && from !== undefined) return { from, unit };
  }
  return undefined;
}

/** Formats of levels by the levels' names: `month=04`, `yyyyww=201704`. */
const BY_NAME = new Map(
  DATE_UNITS.flatMap((unit) => Object.entries<string>(UNITS[unit].dates.levels)).map(
    ([name, source]) => [name, datePattern(source) as DatePattern] as const,
  ),
);

/**
 * The format that a sample is written in: `201704` as `%Y%m`. What looks like no date is the same text in every event.
 * A bare year is one only where its level is called so: `2017` may be anything.
 */
export function formatOfSample(levels: readonly PartitionField[]): PartitionFormat {
  return levels.map(({ name, value }) => {
    const named = BY_NAME.get(name.toLowerCase());
    const candidates =
      named === undefined ? FORMS : tellsYear(named.directives) ? [named, ...FORMS] : [named];
    const found = candidates.find(
      (pattern) =>
        pattern.parse(value) !== undefined && (pattern.source !== '%Y' || /^(year|y{4})$/i.test(name)),
    );
    return { name, pattern: found ?? literal(value) };
  });
}

function literal(value: string): DatePattern {
  return datePattern(value.replaceAll('%', '%%')) as DatePattern;
}

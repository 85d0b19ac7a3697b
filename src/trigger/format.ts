import {
  type DatePattern,
  type Span,
  DIRECTIVES,
  SPANS,
  dateParser,
  datePattern,
  spanOf,
} from '../windows/index.ts';
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
  return spanOf(pattern.directives) !== undefined;
}

/** How long the dates of one partition are; undefined: no level is a date, or none of them tells the year. */
export function formatSpan(format: PartitionFormat): Span | undefined {
  const directives = format.map(({ pattern }) => pattern.directives).join('');
  return /[YyG]/.test(directives) ? spanOf(directives) : undefined;
}

/** @param date written as if it were UTC */
export function formatPartition(format: PartitionFormat, date: Millis): PartitionField[] {
  return format.map(({ name, pattern }) => ({ name, value: pattern.format(date) }));
}

/** `yyyymm=%Y%m/region=us`: how the partition is written, as people say it. */
export function describeFormat(format: PartitionFormat): string {
  return format.map(({ name, pattern }) => `${name}=${pattern.source.replaceAll('%%', '%')}`).join('/');
}

/** The first moment that a text can mean by this pattern, or undefined where it is not written so: 2017-13, 31 February. */
export function dateIn(pattern: DatePattern, text: string): Millis | undefined {
  if (!new RegExp(`^(?:${pattern.matches})$`).test(text)) return undefined;
  const date = dateParser(pattern.source)(text);
  return date !== undefined && pattern.format(date) === text ? date : undefined;
}

/** A moment and how long what it names lasts. */
export interface DateText {
  from: Millis;
  span: Span;
}

/** Dates as people and partitions write them, from the coarsest to the finest. */
const FORMS = [
  '%Y',
  '%Y-%m',
  '%Y%m',
  '%Y/%m',
  '%Y-%m-%d',
  '%Y%m%d',
  '%Y/%m/%d',
  '%Y-%m-%dT%H',
  '%Y-%m-%d %H',
  '%Y-%m-%d-%H',
  '%Y%m%d%H',
  '%Y%m%dT%H',
  '%Y-%m-%dT%H:00',
  '%Y-%m-%dT%H:00:00',
].map((source) => datePattern(source) as DatePattern);

/** What {@link readDate} reads, for error messages. */
export const DATE_FORMS = 'a month (2017-01), a day (2017-01-31), an hour (2017-01-31T05) or a year (2017)';

/** Reads a date in the table's own format, or in one of the usual ones. */
export function readDate(text: string, format: PartitionFormat): DateText | undefined {
  const own = format.filter((level) => isDate(level) && formatSpan([level]) !== undefined);
  for (const pattern of [...own.map((level) => level.pattern), ...FORMS]) {
    const span = spanOf(pattern.directives);
    const from = span === undefined ? undefined : dateIn(pattern, text);
    if (span !== undefined && from !== undefined) return { from, span };
  }
  return undefined;
}

export function isFiner(one: Span, other: Span): boolean {
  return SPANS.indexOf(one) < SPANS.indexOf(other);
}

/** What a level is called where its value alone does not tell what it is: `month=04`. */
const BY_NAME: readonly [name: RegExp, source: string][] = [
  [/^(month|mm)$/i, '%m'],
  [/^(day|dd)$/i, '%d'],
  [/^(hour|hh)$/i, '%H'],
];

/**
 * The format that a sample is written in: `201704` as `%Y%m`. What looks like no date is the same text in every event.
 * A bare year is one only where its level is called so: `2017` may be anything.
 */
export function formatOfSample(levels: readonly PartitionField[]): PartitionFormat {
  return levels.map(({ name, value }) => {
    const named = BY_NAME.find(([pattern]) => pattern.test(name))?.[1];
    const candidates = named === undefined ? FORMS : [datePattern(named) as DatePattern];
    const found = candidates.find(
      (pattern) =>
        dateIn(pattern, value) !== undefined && (pattern.source !== '%Y' || /^(year|y{4})$/i.test(name)),
    );
    return { name, pattern: found ?? literal(value) };
  });
}

function literal(value: string): DatePattern {
  return datePattern(value.replaceAll('%', '%%')) as DatePattern;
}

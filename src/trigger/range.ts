import { createCalendar } from '../windows/index.ts';
import {
  type DateRules,
  type DateUnit,
  UNITS,
  type WindowUnit,
  isFiner,
  isPartOfDay,
  unitsOf,
} from '../windows/units.ts';
import type { CalendarConfig, Config } from '../config/schema.ts';
import type { Millis } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { PartitionField } from '../messages/index.ts';
import {
  DATE_FORMS,
  type PartitionFormat,
  describeFormat,
  formatOfSample,
  formatPartition,
  formatUnit,
  isDate,
  readDate,
  readFormat,
} from './format.ts';
import { tableNeeds } from './needs.ts';

/** More partitions than any table has, so the range is a typing error. */
const MOST = 1_000_000;

/** Dates written as if they were UTC; the end is not in it. */
export interface DateRange {
  from: Millis;
  to: Millis;
}

/** What decides which hours and minutes a range has. */
export interface RangeClock {
  calendar: Pick<CalendarConfig, 'timezone' | 'day_starts'>;
  /** Of partitions finer than a day: there is one for each of these. Left out: for each hour, or each minute. */
  every?: WindowUnit;
}

/**
 * The partitions of a range, each once, in order: every value that the format has between the two dates. Hours and minutes
 * are those that the clock of `calendar.timezone` shows: one that is skipped in spring is left out.
 *
 * @param text `2017-01..2017-12`; both ends belong to it, an end stands for all that it names; one date alone is both
 * @throws UserError naming what is allowed
 */
export function partitionsIn(text: string, format: PartitionFormat, clock: RangeClock): PartitionField[][] {
  const range = readRange(text, format);
  const unit = formatUnit(format) ?? 'day';
  // Counting them one by one would make the operator wait for the error.
  const { from, to } = range;
  const length = clock.every === undefined ? UNITS[unit].plus(from, 1) - from : lengthOf(clock.every);
  refuseMore(text, Math.round((to - from) / length));
  const partitions: PartitionField[][] = [];
  let last = '';
  for (const date of datesIn(range, unit, clock)) {
    const partition = formatPartition(format, date);
    const path = partition.map(({ value }) => value).join('/');
    // All days of a week are in one partition by week.
    if (path !== last) partitions.push(partition);
    last = path;
  }
  refuseMore(text, partitions.length);
  return partitions;
}

function refuseMore(range: string, count: number): void {
  if (count <= MOST) return;
  throw new UserError(`--range ${range} has ${count} partitions`, {
    why: `At most ${MOST} are triggered at once.`,
  });
}

/** Dates of which every partition has at least one, in order. */
function* datesIn(
  { from, to }: DateRange,
  unit: DateUnit,
  { calendar, every }: RangeClock,
): Generator<Millis> {
  const { step } = UNITS[unit].dates;
  if (step === 'minute' || step === 'hour') {
    const windows = createCalendar(calendar.timezone, calendar.day_starts);
    for (const { date } of windows.between(every ?? (step === 'hour' ? 'hour' : '1m'), from, to)) yield date;
    return;
  }
  for (let date = from; date < to; date = UNITS[step].plus(date, 1)) yield date;
}

function readRange(text: string, format: PartitionFormat): DateRange {
  const ends = text.split('..');
  const first = readEnd(ends[0] ?? '', text, format);
  const last = ends.length === 1 ? first : readEnd(ends[1] ?? '', text, format);
  if (ends.length > 2) throw noRange(text, format);
  if (last.from < first.from) {
    throw new UserError(`--range ${text} ends before it begins`, {
      next: [`hippo trigger --range ${ends[1] ?? ''}..${ends[0] ?? ''} --backwards`],
    });
  }
  return { from: first.from, to: last.to };
}

function readEnd(text: string, range: string, format: PartitionFormat): DateRange {
  const date = readDate(text.trim(), format);
  if (date === undefined) throw noRange(range, format, text.trim());
  const unit = formatUnit(format);
  if (unit !== undefined && !takesFinerEnds(unit) && isFiner(date.unit, unit)) {
    throw new UserError(`--range ${range} is finer than the partition`, {
      why: `${text.trim()} is one ${date.unit}, a partition ${describeFormat(format)} holds a ${unit}.`,
      next: [`hippo trigger --range ${UNITS[unit].dates.range}`],
    });
  }
  return { from: date.from, to: UNITS[date.unit].plus(date.from, 1) };
}

function takesFinerEnds(unit: DateUnit): boolean {
  const { dates }: { dates: DateRules } = UNITS[unit];
  return dates.takesFinerEnds === true;
}

function noRange(range: string, format: PartitionFormat, end?: string): UserError {
  const unit = formatUnit(format) ?? 'month';
  return new UserError(`--range ${range} is not a range of dates`, {
    why: [
      ...(end === undefined || end === '' ? [] : [`${end} is not a date.`]),
      `It has two dates with ".." between them: each ${DATE_FORMS}, or one as the partition writes it (${describeFormat(format)}).`,
    ].join(' '),
    next: [`hippo trigger --range ${UNITS[unit].dates.range}`],
  });
}

/** What {@link rangeFormat} goes by. */
export interface FormatWords {
  table: string;
  /** As said by --partition: patterns (`dt=%Y-%m-%d`), or levels that are the same in every event. */
  said: readonly PartitionField[];
  /** `trigger.partition` of hippo.yaml, where the table is that of `trigger`. */
  usual: readonly PartitionField[];
}

/**
 * How the partitions of a range are written: as --partition says, else as the jobs of hippo.yaml need them, else as the
 * sample in `trigger.partition` is. A level that --partition gives without a pattern is the same in every event.
 *
 * @throws UserError where that is not known, or is several things
 */
export function rangeFormat({ table, said, usual }: FormatWords, config: Config): PartitionFormat {
  if (said.some(({ value }) => value.includes('%'))) return withDate(readFormat(said), table);
  const sample = formatOfSample(usual);
  const fixed = [
    ...said,
    ...formatPartition(
      sample.filter((level) => !isDate(level)),
      0,
    ),
  ];
  const needed = tableNeeds(table, config).map(({ format }) => format);
  const candidates = (needed.length > 0 ? needed : [sample])
    .map((format) => withFixed(format, fixed))
    .filter((format) => formatUnit(format) !== undefined && said.every(({ name }) => has(format, name)));
  const distinct = [...new Map(candidates.map((format) => [describeFormat(format), format])).values()];
  const [only] = distinct;
  if (only !== undefined && distinct.length === 1) return only;
  if (only === undefined) throw unknownFormat(table, said);
  throw new UserError(`which partitions of ${table}?`, {
    why: `The jobs of hippo.yaml need ${distinct.map(describeFormat).join(' and ')}.`,
    next: distinct.map((format) => `hippo trigger --table ${table} ${flagsOf(format)} --range …`),
  });
}

/**
 * The windows that partitions finer than a day are for: those of the job that needs them so. Of several the finest.
 *
 * @returns undefined where hippo.yaml does not say it
 */
export function rangeUnit(table: string, format: PartitionFormat, config: Config): WindowUnit | undefined {
  const written = describeFormat(format);
  return tableNeeds(table, config)
    .filter((need) => describeFormat(need.format) === written)
    .map(({ every }) => every)
    .filter((every) => every === 'hour' || isPartOfDay(every))
    .sort((one, other) => lengthOf(one) - lengthOf(other))[0];
}

function lengthOf(unit: WindowUnit): Millis {
  return unitsOf().runnable(unit).plus(0, 1);
}

function withDate(format: PartitionFormat, table: string): PartitionFormat {
  if (formatUnit(format) !== undefined) return format;
  throw unknownFormat(table, []);
}

function unknownFormat(table: string, said: readonly PartitionField[]): UserError {
  const others = formatOfSample(said);
  const wanted = others.some(isDate)
    ? others
    : [...readFormat([{ name: 'yyyymm', value: '%Y%m' }]), ...others];
  return new UserError(`how is the date written in the partition of ${table}?`, {
    why: 'A range needs a level that is a date with its year, and neither --partition nor hippo.yaml (needs, trigger.partition) has one for this table.',
    next: [`hippo trigger --table ${table} ${flagsOf(wanted)} --range 2017-01..2017-12`],
  });
}

function withFixed(format: PartitionFormat, fixed: readonly PartitionField[]): PartitionFormat {
  return format.map((level) => {
    const value = fixed.find(({ name }) => name.toLowerCase() === level.name.toLowerCase())?.value;
    return value === undefined || isDate(level)
      ? level
      : (readFormat([{ name: level.name, value: value.replaceAll('%', '%%') }])[0] ?? level);
  });
}

function has(format: PartitionFormat, wanted: string): boolean {
  return format.some((level) => level.name.toLowerCase() === wanted.toLowerCase() && !isDate(level));
}

function flagsOf(format: PartitionFormat): string {
  return format.map(({ name, pattern }) => `--partition ${name}=${pattern.source}`).join(' ');
}

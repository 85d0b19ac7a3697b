/**
 * Units of time: one entry in {@link UNITS} each. The parts that an entry has say where the unit may be used:
 *
 * - `window`: jobs run by it (`every: day`), and `hippo new` offers it;
 * - `dates`: strftime patterns write dates of this length (`%Y%m` is a month), and `--range` counts in it;
 * - `amount`: templates shift by it (`minus: '2 days'`).
 *
 * Schema, calendar, templates, ranges and scaffolded projects take the unit from here. docs/CLIENT.md has a row for each unit
 * that jobs run by. Jobs also run by the durations of part-of-day.ts. What `calendar` of hippo.yaml changes about a unit (the
 * first day of a week, the business days), {@link unitsOf} knows.
 *
 * A date is what a wall clock shows, written as if it were UTC: arithmetic of dates needs no time zone.
 */
import type { Millis } from '../core/clock.ts';
import { DURATION_UNITS, parseDuration } from '../core/duration.ts';
import { didYouMean } from '../core/near.ts';
import { USUAL_BUSINESS_DAYS, type Weekday, businessDayUnit } from './business-days.ts';
import { type PartOfDay, PART_OF_DAY_FORM, isPartOfDay, partOfDay, readPartOfDay } from './part-of-day.ts';
import {
  type AmountRules,
  DAY,
  HOUR,
  MINUTE,
  type RunnableUnit,
  type TimeUnit,
  type WindowRules,
  floorTo,
} from './unit.ts';

export { USUAL_BUSINESS_DAYS, WEEKDAYS, type Weekday, longestBreak } from './business-days.ts';
export { type PartOfDay, isPartOfDay } from './part-of-day.ts';
export type { AmountRules, DateRules, RunnableUnit, TimeUnit, WindowRules } from './unit.ts';

/** Any Monday, and the Sunday before it. */
const MONDAY = Date.parse('2017-01-02T00:00:00Z');
const SUNDAY = MONDAY - DAY;

/** ISO 8601: a week begins on Monday, and belongs to the year that has most of its days. */
const ISO_WEEK = {
  floor: (date) => floorTo(date, 7 * DAY, MONDAY),
  key: '%G-W%V',
  followsDayStart: true,
  splitsRepeatedTime: false,
  noun: 'week',
  often: 'once a week',
  level: 'yyyyww',
} as const satisfies WindowRules;

/** A week from Sunday on, by strftime's %U: its number is that of its Sunday. Its keys are none of ISO weeks, which differ by a day or more. */
const SUNDAY_WEEK: WindowRules = {
  ...ISO_WEEK,
  floor: (date) => floorTo(date, 7 * DAY, SUNDAY),
  key: '%Y-U%U',
};

/** From the finest to the coarsest. */
export const UNITS = {
  minute: {
    plus: (date, count) => date + count * MINUTE,
    dates: {
      directives: ['M'],
      forms: ['%Y-%m-%dT%H:%M', '%Y-%m-%d %H:%M', '%Y%m%d%H%M', '%Y%m%dT%H%M'],
      example: 'a minute (2017-01-31T05:15)',
      range: '2017-01-01T00:15..2017-01-01T05:45',
      levels: { mi: '%M', minute: '%M', yyyymmddhhmm: '%Y%m%d%H%M' },
      step: 'minute',
    },
    amount: { words: DURATION_UNITS.minutes.words, slack: 0 },
  },
  hour: {
    plus: (date, count) => date + count * HOUR,
    window: {
      floor: (date) => floorTo(date, HOUR),
      key: '%Y-%m-%dT%H',
      followsDayStart: false,
      splitsRepeatedTime: true,
      noun: 'hour',
      often: 'once an hour',
      level: 'yyyymmddhh',
    },
    dates: {
      directives: ['H', 'I'],
      forms: [
        '%Y-%m-%dT%H',
        '%Y-%m-%d %H',
        '%Y-%m-%d-%H',
        '%Y%m%d%H',
        '%Y%m%dT%H',
        '%Y-%m-%dT%H:00',
        '%Y-%m-%dT%H:00:00',
      ],
      example: 'an hour (2017-01-31T05)',
      range: '2017-01-01T00..2017-01-01T23',
      levels: { hh: '%H', hour: '%H', yyyymmddhh: '%Y%m%d%H' },
      step: 'hour',
    },
    amount: { words: DURATION_UNITS.hours.words, slack: 0 },
  },
  day: {
    plus: (date, count) => date + count * DAY,
    window: {
      floor: (date) => floorTo(date, DAY),
      key: '%Y-%m-%d',
      followsDayStart: true,
      splitsRepeatedTime: false,
      noun: 'day',
      often: 'once a day',
      level: 'yyyymmdd',
    },
    dates: {
      directives: ['d', 'e', 'j'],
      forms: ['%Y-%m-%d', '%Y%m%d', '%Y/%m/%d'],
      example: 'a day (2017-01-31)',
      range: '2017-01-01..2017-01-31',
      levels: { dd: '%d', day: '%d', yyyymmdd: '%Y%m%d' },
      step: 'day',
    },
    amount: { words: DURATION_UNITS.days.words, slack: 0 },
  },
  /** Monday to Friday, without holidays. */
  business_day: businessDayUnit({ weekdays: USUAL_BUSINESS_DAYS, holidays: new Set() }),
  week: {
    plus: (date, count) => date + count * 7 * DAY,
    window: ISO_WEEK,
    dates: {
      directives: ['U', 'V', 'W'],
      forms: ['%G-W%V'],
      example: 'a week (2017-W05)',
      range: '2017-W01..2017-W13',
      levels: { yyyyww: '%G%V' },
      takesFinerEnds: true,
      step: 'day',
    },
    amount: { words: DURATION_UNITS.weeks.words, slack: 0 },
  },
  month: {
    plus: addMonths,
    window: {
      floor: (date) => floorToMonths(date, 1),
      key: '%Y%m',
      followsDayStart: true,
      splitsRepeatedTime: false,
      noun: 'month',
      often: 'once a month',
      level: 'yyyymm',
    },
    dates: {
      directives: ['m', 'b', 'B'],
      forms: ['%Y-%m', '%Y%m', '%Y/%m'],
      example: 'a month (2017-01)',
      range: '2017-01..2017-12',
      levels: { mm: '%m', month: '%m', yyyymm: '%Y%m' },
      step: 'month',
    },
    amount: { words: ['mo', 'mon', 'month', 'months'], slack: 4 * DAY },
  },
  quarter: {
    plus: (date, count) => addMonths(date, 3 * count),
    window: {
      floor: (date) => floorToMonths(date, 3),
      key: '%Y-Q%q',
      followsDayStart: true,
      splitsRepeatedTime: false,
      noun: 'quarter',
      often: 'once a quarter',
      level: 'yyyyq',
    },
    dates: {
      directives: ['q'],
      forms: ['%Y-Q%q', '%YQ%q'],
      example: 'a quarter (2017-Q1)',
      range: '2016-Q1..2017-Q4',
      levels: { yyyyq: '%Y%q' },
      takesFinerEnds: true,
      step: 'day',
    },
    amount: { words: ['quarter', 'quarters'], slack: 4 * DAY },
  },
  year: {
    plus: (date, count) => addMonths(date, 12 * count),
    window: {
      floor: (date) => floorToMonths(date, 12),
      key: '%Y',
      followsDayStart: true,
      splitsRepeatedTime: false,
      noun: 'year',
      often: 'once a year',
      level: 'yyyy',
    },
    // By days, since %G is the year of the ISO week, which does not begin on 1 January.
    dates: {
      directives: ['Y', 'y', 'G'],
      forms: ['%Y'],
      example: 'a year (2017)',
      range: '2015..2017',
      levels: { yyyy: '%Y', year: '%Y' },
      step: 'day',
    },
    amount: { words: ['y', 'year', 'years'], slack: 4 * DAY },
  },
} as const satisfies Readonly<Record<string, TimeUnit>>;

export type UnitName = keyof typeof UNITS;
type UnitWith<Part extends keyof TimeUnit> = {
  [Name in UnitName]: Part extends keyof (typeof UNITS)[Name] ? Name : never;
}[UnitName];

/** The units in the table that a job can run by. */
export type NamedWindowUnit = UnitWith<'window'>;
/** What a job can run by: a unit in the table, or a duration that divides a day. */
export type WindowUnit = NamedWindowUnit | PartOfDay;
/** Units that a strftime pattern can write. */
export type DateUnit = UnitWith<'dates'>;
/** Units that a template can add and subtract. */
export type AmountUnit = UnitWith<'amount'>;

export const UNIT_NAMES = Object.keys(UNITS) as UnitName[];
export const WINDOW_UNITS = unitsWith('window');
export const DATE_UNITS = unitsWith('dates');
export const AMOUNT_UNITS = unitsWith('amount');

function unitsWith<Part extends keyof TimeUnit>(part: Part): UnitWith<Part>[] {
  return UNIT_NAMES.filter((name): name is UnitWith<Part> => part in UNITS[name]);
}

/** Whether one unit comes before the other in {@link UNITS}: hours are finer than days, and `6h` is between them. */
export function isFiner(one: UnitName | PartOfDay, other: UnitName | PartOfDay): boolean {
  return rankOf(one) < rankOf(other);
}

function rankOf(name: UnitName | PartOfDay): number {
  if (!isPartOfDay(name)) return UNIT_NAMES.indexOf(name);
  const isLong = partOfDay(name).plus(0, 1) > HOUR;
  return UNIT_NAMES.indexOf(isLong ? 'hour' : 'minute') + 0.5;
}

/**
 * Reads `every` of a job.
 *
 * @returns the unit, in its only form (`120m` → `2h`), or what is allowed instead: words that continue "must be"
 */
export function readWindowUnit(text: string): { unit: WindowUnit } | { allowed: string } {
  const named = WINDOW_UNITS.find((name) => name === text);
  if (named !== undefined) return { unit: named };
  const part = readPartOfDay(text);
  if ('unit' in part) return part;
  const allowed = `one of event, ${WINDOW_UNITS.join(', ')}, or ${PART_OF_DAY_FORM}`;
  if (parseDuration(text) === 7 * DAY) return { allowed: `${allowed}: write week` };
  if (part.near.length > 0) return { allowed: `${allowed}: write ${part.near.join(' or ')}` };
  const meant = didYouMean(text, ['event', ...WINDOW_UNITS]);
  return { allowed: meant === undefined ? allowed : `${allowed}. ${meant}` };
}

/** What `calendar` of hippo.yaml changes about units. */
export interface CalendarRules {
  /** [default: monday] */
  readonly weekStarts?: 'monday' | 'sunday';
  /** [default: monday to friday] */
  readonly businessDays?: readonly Weekday[];
  /** Dates that are no business days: `2017-12-25`. */
  readonly holidays?: readonly string[];
}

/** The units of one calendar. */
export interface Units {
  /** The unit that a job runs by. */
  runnable(name: WindowUnit): RunnableUnit;
  /** The unit that a template shifts by. */
  amount(name: AmountUnit): TimeUnit & { readonly amount: AmountRules };
}

export function unitsOf({ weekStarts, businessDays, holidays = [] }: CalendarRules = {}): Units {
  const own = {
    ...UNITS,
    ...(weekStarts === 'sunday' && { week: { ...UNITS.week, window: SUNDAY_WEEK } }),
    business_day: businessDayUnit({
      weekdays: businessDays ?? USUAL_BUSINESS_DAYS,
      holidays: new Set(holidays.map((date) => Date.parse(date))),
    }),
  };
  return {
    runnable: (name) => (isPartOfDay(name) ? partOfDay(name) : own[name]),
    amount: (name) => own[name],
  };
}

/** The strftime patterns that a unit's keys may have, whatever the calendar says. */
export function keyPatterns(unit: WindowUnit): string[] {
  return (['monday', 'sunday'] as const).map(
    (weekStarts) => unitsOf({ weekStarts }).runnable(unit).window.key,
  );
}

/** The first month of so many that begin with a January. `2017-05-28T05:00` and 3 → `2017-04-01T00:00` */
function floorToMonths(date: Millis, months: number): Millis {
  const at = new Date(date);
  return dateOf(at.getUTCFullYear(), floorTo(at.getUTCMonth(), months), 1);
}

/** `2017-01-31T05:00` and 1 → `2017-02-28T05:00` */
function addMonths(date: Millis, count: number): Millis {
  const at = new Date(date);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth() + count];
  const lastDay = new Date(dateOf(year, month + 1, 0)).getUTCDate();
  return dateOf(year, month, Math.min(at.getUTCDate(), lastDay)) + (date - floorTo(date, DAY));
}

/** @param month from 0; one beyond the year is of a later, or an earlier, year */
function dateOf(year: number, month: number, day: number): Millis {
  // Unlike Date.UTC it takes the year 17 for 17, not for 1917.
  return new Date(0).setUTCFullYear(year, month, day);
}

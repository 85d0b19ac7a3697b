/**
 * Units of time: one entry in {@link UNITS} each. The parts that an entry has say where the unit may be used:
 *
 * - `window`: jobs run by it (`every: day`), and `hippo new` offers it;
 * - `dates`: strftime patterns write dates of this length (`%Y%m` is a month), and `--range` counts in it;
 * - `amount`: templates shift by it (`minus: '2 days'`).
 *
 * Schema, calendar, templates, ranges and scaffolded projects take the unit from here. docs/CLIENT.md has a row for each unit
 * that jobs run by.
 *
 * A date is what a wall clock shows, written as if it were UTC: arithmetic of dates needs no time zone.
 */
import type { Millis } from '../core/clock.ts';
import { DURATION_UNITS } from '../core/duration.ts';

export interface TimeUnit {
  /** The date `count` units later; earlier where it is negative. 31 January and 1 month: 28 February. */
  readonly plus: (date: Millis, count: number) => Millis;
  readonly window?: WindowRules;
  readonly dates?: DateRules;
  readonly amount?: AmountRules;
}

/** How the windows of a unit follow each other and what they are called. */
export interface WindowRules {
  /** The date of the window that this date is in: 28 April 2017 → 1 April 2017. */
  readonly floor: (date: Millis) => Millis;
  /** The strftime pattern of its keys (`%Y%m` → `201704`): it must tell each date that `floor` gives from every other. */
  readonly key: string;
  /** Whether `day_starts` moves the windows: those that are made of whole days. The others begin as the wall clock shows. */
  readonly followsDayStart: boolean;
  /**
   * What becomes of time that the wall clock shows twice. true: two windows, whose keys name their offsets
   * (`2017-10-29T02+02:00`). false: one window that is as much longer.
   */
  readonly splitsRepeatedTime: boolean;
  /** Reads after "every" and, with an "s", as the plural. */
  readonly noun: string;
  /** Answers how often a job runs. */
  readonly often: string;
  /** What the partition level of a table that has one partition a window is usually called: one of `dates.levels`. */
  readonly level: string;
}

/** Dates as patterns and people write them. */
export interface DateRules {
  /** The letters of the strftime directives that write this unit and nothing finer. */
  readonly directives: readonly string[];
  /** The patterns that people use, the most usual one first. Empty: people name the finer units that it consists of. */
  readonly forms: readonly string[];
  /** One date in the first form, with its article; left out where there is no form. */
  readonly example?: string;
  /** A range that `hippo trigger --range` takes for a table with one partition for each of these. */
  readonly range: string;
  /** Names of partition levels that say by themselves how the date is written. */
  readonly levels: Readonly<Record<string, string>>;
  /** Dates so far apart, from the first date of a range on, meet every one of these units that the range touches. */
  readonly step: 'hour' | 'day' | 'month';
}

/** `minus: '2 days'` */
export interface AmountRules {
  /** How it is written; case counts. */
  readonly words: readonly string[];
  /** How far `plus(plus(date, n), -n)` may be from `date`, milliseconds: ends of months coincide. */
  readonly slack: Millis;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From the finest to the coarsest. */
export const UNITS = {
  minute: {
    plus: (date, count) => date + count * MINUTE,
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
  week: {
    plus: (date, count) => date + count * 7 * DAY,
    dates: { directives: ['U', 'V', 'W'], forms: [], range: '2017-01..2017-03', levels: {}, step: 'day' },
    amount: { words: DURATION_UNITS.weeks.words, slack: 0 },
  },
  month: {
    plus: addMonths,
    window: {
      floor: floorToMonth,
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
    dates: { directives: ['q'], forms: [], range: '2017-01..2017-12', levels: {}, step: 'day' },
  },
  year: {
    plus: (date, count) => addMonths(date, 12 * count),
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

/** Units that a job can run by. */
export type WindowUnit = UnitWith<'window'>;
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

/** Whether one unit comes before the other in {@link UNITS}: hours are finer than days. */
export function isFiner(one: UnitName, other: UnitName): boolean {
  return UNIT_NAMES.indexOf(one) < UNIT_NAMES.indexOf(other);
}

function floorTo(date: Millis, step: Millis): Millis {
  return Math.floor(date / step) * step;
}

/** `2017-04-28T05:00` → `2017-04-01T00:00` */
function floorToMonth(date: Millis): Millis {
  const at = new Date(date);
  return dateOf(at.getUTCFullYear(), at.getUTCMonth(), 1);
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

import type { Millis } from '../core/clock.ts';

/** A unit of time. A date is what a wall clock shows, written as if it were UTC: arithmetic of dates needs no time zone. */
export interface TimeUnit {
  /** The date `count` units later; earlier where it is negative. 31 January and 1 month: 28 February. */
  readonly plus: (date: Millis, count: number) => Millis;
  readonly window?: WindowRules;
  readonly dates?: DateRules;
  readonly amount?: AmountRules;
}

/** A unit that a job can run by. */
export type RunnableUnit = TimeUnit & { readonly window: WindowRules };

/** How the windows of a unit follow each other and what they are called. */
export interface WindowRules {
  /** The date of the window that this date is in: 28 April 2017 → 1 April 2017. */
  readonly floor: (date: Millis) => Millis;
  /**
   * The date that the window of this date begins with, where that is another one: the window of a Monday that takes the
   * weekend in begins with the Saturday. It ends where the next one begins.
   */
  readonly begins?: (date: Millis) => Millis;
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
  /** Ranges may have finer ends, because people name the unit by its days: `2017-01-02..2017-01-15` are two weeks. */
  readonly takesFinerEnds?: true;
  /** Dates so far apart, from the first date of a range on, meet every one of these units that the range touches. */
  readonly step: 'minute' | 'hour' | 'day' | 'month';
}

/** `minus: '2 days'` */
export interface AmountRules {
  /** How it is written; case counts. */
  readonly words: readonly string[];
  /** How far `plus(plus(date, n), -n)` may be from `date`, milliseconds: ends of months coincide. */
  readonly slack: Millis;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The last multiple of `step` from `first` on that is not after the date. */
export function floorTo(date: Millis, step: Millis, first: Millis = 0): Millis {
  return Math.floor((date - first) / step) * step + first;
}

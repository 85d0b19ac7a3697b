import type { Millis } from '../core/clock.ts';
import { DAY, type RunnableUnit, type TimeUnit, floorTo } from './unit.ts';

/** As `Date.getUTCDay` counts them. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** `calendar.business_days`, where hippo.yaml does not say it. */
export const USUAL_BUSINESS_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const satisfies Weekday[];

/** The days on which a business works. */
export interface BusinessDays {
  /** At least one. */
  readonly weekdays: readonly Weekday[];
  /** Days on which it does not work, as dates at midnight. */
  readonly holidays: ReadonlySet<Millis>;
}

/** The unit of these business days: its parts follow from them. */
export function businessDayUnit(days: BusinessDays): Required<Omit<RunnableUnit, 'dates'>> {
  const works = (day: Millis): boolean => isBusinessDay(day, days);
  return {
    /** On a free day the next business day is 1 later, the last one 1 earlier. The time of day stays. */
    plus(date, count) {
      let day = floorTo(date, DAY);
      const time = date - day;
      for (let left = Math.abs(count); left > 0;) {
        day += Math.sign(count) * DAY;
        if (works(day)) left -= 1;
      }
      return day + time;
    },
    window: {
      /** What lands on a free day belongs to the next business day: see docs/decisions/business-days.md. */
      floor(date) {
        let day = floorTo(date, DAY);
        while (!works(day)) day += DAY;
        return day;
      },
      begins(date) {
        let first = date;
        while (!works(first - DAY)) first -= DAY;
        return first;
      },
      key: '%Y-%m-%d',
      followsDayStart: true,
      splitsRepeatedTime: false,
      noun: 'business day',
      often: 'once a business day',
      level: 'yyyymmdd',
    },
    amount: { words: ['business day', 'business days'], slack: (longestBreak(days) + 1) * DAY },
  } satisfies TimeUnit;
}

function isBusinessDay(day: Millis, { weekdays, holidays }: BusinessDays): boolean {
  const weekday = WEEKDAYS[new Date(day).getUTCDay()] ?? 'sun';
  return weekdays.includes(weekday) && !holidays.has(day);
}

/** How many free days follow each other at most: a weekend → 2, one with Good Friday and Easter Monday → 4 */
export function longestBreak(days: BusinessDays): number {
  const isFree = (day: Millis): boolean => !isBusinessDay(day, days);
  // A week from any day on, besides the holidays: it has each weekday.
  const starts = [...Array.from({ length: 7 }, (_, day) => day * DAY), ...days.holidays].filter(isFree);
  let [longest, known] = [0, -Infinity];
  for (const start of starts.sort((a, b) => a - b)) {
    if (start < known) continue;
    let [first, end] = [start, start];
    while (isFree(first - DAY)) first -= DAY;
    while (isFree(end)) end += DAY;
    longest = Math.max(longest, (end - first) / DAY);
    known = end;
  }
  return longest;
}

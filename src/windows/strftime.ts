import { utcFormat, utcParse } from 'd3-time-format';
import { DateTime, type DurationLikeObject } from 'luxon';
import type { Millis } from '../core/clock.ts';
import { unitNamed } from '../core/duration.ts';

/** What a pattern may use, for error messages. */
export const DIRECTIVES =
  '%Y %y %G (year), %q (quarter), %m %b %B (month), %U %V %W (week), %d %e %j (day), %u %w %a %A (weekday), ' +
  '%H %I %p (hour), %M %S, %F (%Y-%m-%d), %T (%H:%M:%S), %%';

/** Directive → what it matches in a text. */
const MATCHES: Record<string, string> = {
  Y: '\\d{4}',
  G: '\\d{4}',
  y: '\\d\\d',
  q: '[1-4]',
  m: '\\d\\d',
  b: '[A-Z][a-z]{2}',
  B: '[A-Z][a-z]+',
  U: '\\d\\d',
  V: '\\d\\d',
  W: '\\d\\d',
  d: '\\d\\d',
  e: '[ \\d]\\d',
  j: '\\d{3}',
  u: '[1-7]',
  w: '[0-6]',
  a: '[A-Z][a-z]{2}',
  A: '[A-Z][a-z]+',
  H: '\\d\\d',
  I: '\\d\\d',
  p: '[AP]M',
  M: '\\d\\d',
  S: '\\d\\d',
  '%': '%',
};
const SHORTHANDS: Record<string, string> = { F: '%Y-%m-%d', T: '%H:%M:%S' };
/** A directive, with strftime's padding: `%-d` is not padded, `%_d` with blanks. */
const DIRECTIVE = /%([-_0]?)(.?)/g;

/** Calendar spans from the finest to the coarsest. */
export const SPANS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type Span = (typeof SPANS)[number];

const HOUR = 3_600_000;
const LENGTH: Record<Span, DurationLikeObject> = {
  hour: { hours: 1 },
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
  quarter: { quarters: 1 },
  year: { years: 1 },
};

/** A pattern of strftime, for dates written as if they were UTC. */
export interface DatePattern {
  /** With `%F` and `%T` written out. */
  readonly source: string;
  /** What this pattern can write, as the source of a regular expression without groups. */
  readonly matches: string;
  /** The letters of its directives. */
  readonly directives: string;
  format(date: Millis): string;
}

/** @returns the pattern, or the directive that it may not use */
export function datePattern(text: string): DatePattern | { unknown: string } {
  const source = text.replace(
    DIRECTIVE,
    (whole, _pad: string, letter: string) => SHORTHANDS[letter] ?? whole,
  );
  let [matches, directives, from] = ['', '', 0];
  for (const match of source.matchAll(DIRECTIVE)) {
    const [whole, pad = '', letter = ''] = match;
    const expected = MATCHES[letter];
    if (expected === undefined) return { unknown: whole };
    matches += escapeRegExp(source.slice(from, match.index)) + padded(expected, pad);
    directives += letter;
    from = match.index + whole.length;
  }
  const format = utcFormat(source);
  return {
    source,
    matches: matches + escapeRegExp(source.slice(from)),
    directives,
    format: (date) => format(new Date(date)),
  };
}

/** The source of a regular expression that matches this text. */
export function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function padded(expected: string, pad: string): string {
  if (pad === '-') return expected.startsWith('\\d') ? '\\d{1,4}' : expected;
  return pad === '_' ? '[ \\d]{1,4}' : expected;
}

/** The first date that a text can mean, or undefined. Parts that the pattern does not name are the first of their kind. */
export function dateParser(pattern: string): (text: string) => Millis | undefined {
  const parse = utcParse(pattern);
  return (text) => parse(text)?.getTime();
}

/** How far the dates that a text can mean may lie behind the one that it is parsed to; undefined: it names no date. */
export function spanOf(directives: string): Span | undefined {
  const has = (letters: string): boolean => new RegExp(`[${letters}]`).test(directives);
  if (has('HI')) return 'hour';
  if (has('dej')) return 'day';
  if (has('UVW')) return 'week';
  if (has('mbB')) return 'month';
  if (has('q')) return 'quarter';
  return has('YyG') ? 'year' : undefined;
}

/** The date after the span that begins at `date`. */
export function afterSpan(date: Millis, span: Span): Millis {
  return span === 'hour' ? date + HOUR : utc(date).plus(LENGTH[span]).toMillis();
}

/** A step in time: days and hours are exact, months end on the last day there is. */
export interface Shift {
  readonly sign: 1 | -1;
  readonly unit: 'minutes' | 'hours' | 'days' | 'weeks' | 'months' | 'years';
  readonly count: number;
}

/** What a shift looks like, for error messages. */
export const SHIFT_FORM = "a duration such as '2d', '6h', '1 week', '1 month' or '1 year'";

const CALENDAR_UNITS: [pattern: RegExp, unit: Shift['unit']][] = [
  [/^(mo|mon|months?)$/, 'months'],
  [/^(y|years?)$/, 'years'],
];
const SHIFT = /^\s*(\d{1,6})\s*([A-Za-z]+)\s*$/;

/** Reads `2d`, `1 month`, …; undefined where the text is none of it. `M` is none: a minute to some, a month to others. */
export function parseShift(text: string, sign: 1 | -1): Shift | undefined {
  const [, count, word = ''] = SHIFT.exec(text) ?? [];
  const unit = shiftUnit(word);
  return count === undefined || unit === undefined ? undefined : { sign, unit, count: Number(count) };
}

/** {@link SHIFT_FORM}, and what the text that was refused may have been meant to be. */
export function shiftForm(refused: string): string {
  const [, count, word = ''] = SHIFT.exec(refused) ?? [];
  if (count === undefined) return SHIFT_FORM;
  const lower = word.toLowerCase();
  if (word === 'M') return `${SHIFT_FORM}: write '${count} minutes' or '${count} months'`;
  return shiftUnit(lower) === undefined ? SHIFT_FORM : `${SHIFT_FORM}: write '${count}${lower}'`;
}

function shiftUnit(word: string): Shift['unit'] | undefined {
  const calendar = CALENDAR_UNITS.find(([pattern]) => pattern.test(word))?.[1];
  const exact = unitNamed(word)?.name;
  return exact === undefined || exact === 'milliseconds' || exact === 'seconds' ? calendar : exact;
}

/** Of units that are always as long, milliseconds. */
const EXACT: Partial<Record<Shift['unit'], Millis>> = {
  minutes: HOUR / 60,
  hours: HOUR,
  days: 24 * HOUR,
  weeks: 7 * 24 * HOUR,
};

export function shiftDate(date: Millis, shifts: readonly Shift[]): Millis {
  return shifts.reduce((at, { sign, unit, count }) => {
    const exact = EXACT[unit];
    if (exact !== undefined) return at + sign * count * exact;
    return utc(at)
      .plus({ [unit]: sign * count })
      .toMillis();
  }, date);
}

/** The shifts that lead back; exact but for the ends of months. */
export function reversed(shifts: readonly Shift[]): Shift[] {
  return shifts.map((shift): Shift => ({ ...shift, sign: shift.sign === 1 ? -1 : 1 })).reverse();
}

/** By how much {@link reversed} may miss. */
export function blur(shifts: readonly Shift[]): Millis {
  return shifts.filter(({ unit }) => unit === 'months' || unit === 'years').length * 4 * 24 * HOUR;
}

function utc(date: Millis): DateTime {
  return DateTime.fromMillis(date, { zone: 'utc' });
}

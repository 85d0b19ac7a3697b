import { utcFormat, utcParse } from 'd3-time-format';
import type { Millis } from '../core/clock.ts';
import { AMOUNT_UNITS, type AmountUnit, DATE_UNITS, type DateUnit, UNITS, type Units } from './units.ts';

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

/** A pattern of strftime, for dates written as if they were UTC. */
export interface DatePattern {
  /** With `%F` and `%T` written out. */
  readonly source: string;
  /** What this pattern can write, as the source of a regular expression without groups. */
  readonly matches: string;
  /** The letters of its directives. */
  readonly directives: string;
  /** 28 April 2017 → `20170428` */
  format(date: Millis): string;
  /** `20170428` → 28 April 2017; undefined where the text is not written so: `20170431`, `2017-04-28`. */
  parse(text: string): Millis | undefined;
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
  matches += escapeRegExp(source.slice(from));
  const write = utcFormat(source);
  const format = (date: Millis): string => write(new Date(date));
  return { source, matches, directives, format, parse: strictParser(source, matches, format) };
}

/** d3 reads 31 April as 1 May, and more digits than a pattern has: what is not written back as it was is refused. */
function strictParser(source: string, matches: string, format: DatePattern['format']): DatePattern['parse'] {
  let parser: { parse: (text: string) => Millis | undefined; expected: RegExp } | undefined;
  return (text) => {
    parser ??= { parse: dateParser(source), expected: new RegExp(`^(?:${matches})$`) };
    if (!parser.expected.test(text)) return undefined;
    const date = parser.parse(text);
    return date !== undefined && format(date) === text ? date : undefined;
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

/**
 * How long a date lasts that these directives write: `Ymd` → day. All dates that the text can mean lie in that time after
 * the one that it is parsed to. undefined: they write no date.
 */
export function dateUnitOf(directives: string): DateUnit | undefined {
  return DATE_UNITS.find((unit) =>
    UNITS[unit].dates.directives.some((letter) => directives.includes(letter)),
  );
}

/** A step in time: days and hours are exact, months end on the last day there is. */
export interface Shift {
  readonly sign: 1 | -1;
  readonly unit: AmountUnit;
  readonly count: number;
}

/** What a shift looks like, for error messages. */
export const SHIFT_FORM =
  "a duration such as '2d', '6h', '3 business days', '1 week', '1 month', '1 quarter' or '1 year'";

const SHIFT = /^\s*(\d{1,6})\s*([A-Za-z][A-Za-z ]*?)\s*$/;

/** Reads `2d`, `1 month`, …; undefined where the text is none of it. `M` is none: a minute to some, a month to others. */
export function parseShift(text: string, sign: 1 | -1): Shift | undefined {
  const [, count, word = ''] = SHIFT.exec(text) ?? [];
  const unit = amountUnit(word);
  return count === undefined || unit === undefined ? undefined : { sign, unit, count: Number(count) };
}

/** {@link SHIFT_FORM}, and what the text that was refused may have been meant to be. */
export function shiftForm(refused: string): string {
  const [, count, word = ''] = SHIFT.exec(refused) ?? [];
  if (count === undefined) return SHIFT_FORM;
  const lower = word.toLowerCase();
  if (word === 'M') return `${SHIFT_FORM}: write '${count} minutes' or '${count} months'`;
  return amountUnit(lower) === undefined ? SHIFT_FORM : `${SHIFT_FORM}: write '${count}${lower}'`;
}

function amountUnit(word: string): AmountUnit | undefined {
  return AMOUNT_UNITS.find((unit) => UNITS[unit].amount.words.some((known) => known === word));
}

/** 28 April 2017, minus 1 month and plus 2 days → 30 March 2017 */
export function shiftDate(date: Millis, shifts: readonly Shift[], units: Units): Millis {
  return shifts.reduce((at, { sign, unit, count }) => units.amount(unit).plus(at, sign * count), date);
}

/** The shifts that lead back, up to {@link inverseSlack}. */
export function inverseShifts(shifts: readonly Shift[]): Shift[] {
  return shifts.map((shift): Shift => ({ ...shift, sign: shift.sign === 1 ? -1 : 1 })).reverse();
}

/** How far from its date {@link inverseShifts} may lead: 31 March minus a month is 28 February, and that plus a month 28 March. */
export function inverseSlack(shifts: readonly Shift[], units: Units): Millis {
  return shifts.reduce((slack, { unit }) => slack + units.amount(unit).amount.slack, 0);
}

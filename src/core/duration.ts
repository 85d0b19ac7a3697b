import { looksLikeDate } from './compact-date.ts';

/** What a duration looks like, for error messages. */
export const DURATION_FORM = 'a duration such as 500ms, 30s, 5m, 2h or 1d';

/** A unit that always has the same length. */
export interface DurationUnit {
  /** How it is written. Case counts: `M` is a month to many people. */
  readonly words: readonly string[];
  readonly millis: number;
}

export const DURATION_UNITS = {
  milliseconds: { words: ['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'], millis: 1 },
  seconds: { words: ['s', 'sec', 'secs', 'second', 'seconds'], millis: 1000 },
  minutes: { words: ['m', 'min', 'mins', 'minute', 'minutes'], millis: 60_000 },
  hours: { words: ['h', 'hr', 'hrs', 'hour', 'hours'], millis: 3_600_000 },
  days: { words: ['d', 'day', 'days'], millis: 86_400_000 },
  weeks: { words: ['w', 'week', 'weeks'], millis: 604_800_000 },
} as const satisfies Readonly<Record<string, DurationUnit>>;

/** @param word as it stands in durations and rates: `m`, `min`, `minutes` */
export function unitNamed(word: string): DurationUnit | undefined {
  return Object.values<DurationUnit>(DURATION_UNITS).find(({ words }) => words.includes(word));
}

const AMOUNT = /^(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)$/;
const LONGEST = 40;

/**
 * Reads `90s`, `2h`, `1d`, …; a bare number is seconds.
 *
 * @returns milliseconds, or undefined when the text is not a duration or is negative
 */
export function parseDuration(text: string): number | undefined {
  const [, count = '', word = ''] = readAmount(text) ?? [];
  // `--since 20170428` means a date, not 233 days.
  if (word === '' && looksLikeDate(count)) return undefined;
  const unit = unitNamed(word === '' ? 's' : word);
  return count === '' || unit === undefined ? undefined : Math.round(Number(count) * unit.millis);
}

/** A duration in its short form: `10 min` is `10m`, a bare number is seconds. A text that is no duration stays as it is. */
export function shortDuration(text: string): string {
  const [, count = '', word = ''] = readAmount(text) ?? [];
  const unit = unitNamed(word === '' ? 's' : word);
  return count === '' || unit === undefined ? text : `${Number(count)}${unit.words[0] ?? ''}`;
}

/**
 * What a text that {@link parseDuration} refuses may have been meant to be: `2M` is `2m (minutes)` or `60d`.
 *
 * @returns each as it can be typed, with a note where it needs one; empty: no idea
 */
export function meantDurations(text: string): { text: string; note?: string }[] {
  const [, count = '', word = ''] = readAmount(text) ?? [];
  const days = (each: number): { text: string } => ({ text: `${Number(count) * each}d` });
  if (count === '' || parseDuration(text) !== undefined) return [];
  if (word === 'M') return [{ text: `${count}m`, note: 'minutes' }, days(30)];
  if (/^(mo|mon|months?)$/i.test(word)) return [days(30)];
  if (/^(y|yrs?|years?)$/i.test(word)) return [days(365)];
  const lower = `${count}${word.toLowerCase()}`;
  return parseDuration(lower) === undefined ? [] : [{ text: lower }];
}

/** {@link DURATION_FORM}, and what the text that was refused may have been meant to be. */
export function durationForm(refused: string): string {
  const meant = meantDurations(refused).map(withNote);
  return meant.length === 0 ? DURATION_FORM : `${DURATION_FORM}: write ${meant.join(' or ')}`;
}

/** `2m (minutes)` */
export function withNote({ text, note }: { text: string; note?: string }): string {
  return note === undefined ? text : `${text} (${note})`;
}

function readAmount(text: string): RegExpExecArray | null {
  return text.length > LONGEST ? null : AMOUNT.exec(text.trim());
}

/** A duration as finish messages have it, in whole seconds: 0 is `less than 1 s`. */
export function formatSeconds(seconds: number): string {
  return seconds === 0 ? 'less than 1 s' : formatDuration(seconds * 1000);
}

/** `940 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`: for people. */
export function formatDuration(millis: number): string {
  if (millis < 0.5) return 'less than 1 ms';
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const whole = Math.round(seconds);
  const first = units.findIndex(([size]) => whole >= size);
  return units
    .slice(first, first + 2)
    .map(([size, name], index) => {
      const above = index === 0 ? whole : whole % (units[first]?.[0] ?? 1);
      return [Math.floor(above / size), name] as const;
    })
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}`)
    .join(' ');
}

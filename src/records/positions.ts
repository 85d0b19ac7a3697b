import type { Clock, Millis } from '../core/clock.ts';
import { compactDate, looksLikeDate } from '../core/compact-date.ts';
import { meantDurations, parseDuration, withNote } from '../core/duration.ts';
import { UserError } from '../core/errors.ts';
import { parseOffset } from '../core/record-ref.ts';
import type { Kafka, OffsetRange, TopicPartitionOffset, Trouble } from '../kafka/port.ts';

/** A place in every partition that is read. */
export type Position =
  | { at: 'beginning' }
  | { at: 'end' }
  /** The same offset in each partition. */
  | { at: 'offset'; offset: bigint }
  /** An offset in each partition that is named; the others are not read. */
  | { at: 'partitions'; offsets: ReadonlyMap<number, bigint> }
  /** The first record of each partition at or after this time. */
  | { at: 'time'; time: Millis };

export interface Span {
  from: Position;
  /** null: follow for ever. */
  to: Position | null;
}

/** What reading a time needs: the present, and where a date without a zone belongs. */
export interface TimeContext {
  clock: Clock;
  /** IANA name. */
  timezone: string;
}

const POSITION_FORMS = [
  'beginning, end',
  'an offset (42) or partition:offset (0:42,3:17)',
  'a date (2017-04-28) or time (2017-04-28T22:00, 2017-04-28T22:00:00Z)',
  'a duration before now (-2h, -30m, -7d)',
  'an epoch in seconds or milliseconds after @ (@1493394946); @ may also precede a date or time',
] as const;

/** What {@link parseTime} reads, for error messages. */
export const POSITION_TIMES =
  'a date (2017-04-28), a time (2017-04-28T22:00, 2017-04-28T22:00:00Z), a duration before now (-2h), an epoch in seconds or milliseconds, or now';

/**
 * Reads `--from` and `--to`; `--from` may hold both as `@T1..@T2`.
 *
 * @throws UserError naming the forms that are allowed
 */
export async function parseSpan(
  from: string | undefined,
  to: string | undefined,
  context: TimeContext,
  fallback: Span,
): Promise<Span> {
  const dots = from?.indexOf('..') ?? -1;
  if (from !== undefined && dots !== -1) {
    if (to !== undefined) {
      throw new UserError(`--from ${from} already says where to end`, {
        next: [`--from ${from.slice(0, dots)} --to ${to}`],
      });
    }
    return {
      from: await parsePosition(from.slice(0, dots) || 'beginning', '--from', context),
      to: await parsePosition(from.slice(dots + 2) || 'end', '--from', context),
    };
  }
  return {
    from: from === undefined ? fallback.from : await parsePosition(from, '--from', context),
    to: to === undefined ? fallback.to : await parsePosition(to, '--to', context),
  };
}

/** @param flag for the error's text */
export async function parsePosition(text: string, flag: string, context: TimeContext): Promise<Position> {
  const trimmed = text.trim();
  if (trimmed === 'beginning' || trimmed === 'earliest' || trimmed === 'start') return { at: 'beginning' };
  if (trimmed === 'end' || trimmed === 'latest') return { at: 'end' };
  if (/^\d+$/.test(trimmed)) return { at: 'offset', offset: readOffset(onlyOffset(trimmed, flag), flag) };
  if (/^\d+:\d+(,\d+:\d+)*$/.test(trimmed)) {
    const pairs = trimmed.split(',').map((pair) => pair.split(':') as [string, string]);
    return { at: 'partitions', offsets: new Map(pairs.map(([p, o]) => [Number(p), readOffset(o, flag)])) };
  }
  const time = trimmed.startsWith('@')
    ? await parseTime(trimmed.slice(1), context)
    : trimmed === 'now' || /^[-\d]/.test(trimmed)
      ? await parseTime(trimmed, context, false)
      : undefined;
  if (time !== undefined) return { at: 'time', time };
  throw new UserError(`${flag} ${text} is not a position`, {
    why: `Allowed:\n${POSITION_FORMS.map((form) => `  ${form}`).join('\n')}`,
    next: /^-\d+$/.test(trimmed)
      ? [`the last ${trimmed.slice(1)} records, in all: --last ${trimmed.slice(1)}`]
      : meantTimes(trimmed.replace(/^@/, '')).map((meant) => `${flag} ${meant}`),
  });
}

/** @throws UserError for digits that may be an offset or a date */
function onlyOffset(digits: string, flag: string): string {
  const date = compactDate(digits) ?? compactHour(digits);
  if (date === undefined) return digits;
  throw new UserError(`${flag} ${digits} could be a date or an offset`, {
    next: [`${flag} ${date} (the date)`, `${flag} P:${digits} (the offset, in partition P)`],
  });
}

function readOffset(digits: string, flag: string): bigint {
  const offset = parseOffset(digits.replace(/^0+(?=\d)/, ''));
  if (offset === undefined) throw new UserError(`${flag} ${digits} is larger than any Kafka offset`);
  return offset;
}

/**
 * `-2h`, `now`, `1493394946` (11 digits or fewer: seconds), `1493394946000`, `2017-04-28`, `20170428`,
 * `2017-04-28T22:00[:00][Z|+08:00]`.
 *
 * @param epochs whether digits alone are a time
 * @returns undefined for what is not a time, or might be several: see {@link meantTimes}
 */
export async function parseTime(
  text: string,
  context: TimeContext,
  epochs = true,
): Promise<Millis | undefined> {
  if (text === 'now') return context.clock.now();
  if (/^\d+$/.test(text)) {
    if (!epochs) return undefined;
    const date = compactDate(text) ?? compactMonth(text);
    if (date !== undefined) return parseIso(date, context);
    if (looksLikeDate(text) || compactHour(text) !== undefined || text.length > 15) return undefined;
    return text.length <= 11 ? Number(text) * 1000 : Number(text);
  }
  if (text.startsWith('-')) {
    // A bare number would be seconds here: too easily meant as a count of records.
    const ago = /^-\d+$/.test(text) ? undefined : parseDuration(text.slice(1));
    return ago === undefined ? undefined : context.clock.now() - ago;
  }
  return /^(\d{4}-\d{2}|\d{8}T)/.test(text) ? parseIso(text.replace(' ', 'T'), context) : undefined;
}

async function parseIso(text: string, { timezone }: TimeContext): Promise<Millis | undefined> {
  const { DateTime } = await import('luxon');
  const time = DateTime.fromISO(text, { zone: timezone });
  return time.isValid ? time.toMillis() : undefined;
}

/** `201704`: as an epoch it would be in January 1970. */
function compactMonth(digits: string): string | undefined {
  return digits.length === 6 ? compactDate(`${digits}01`)?.slice(0, -'-01'.length) : undefined;
}

/** `2017042805`: an hour, or the epoch of a time after 2030. */
function compactHour(digits: string): string | undefined {
  return digits.length === 10 ? compactDate(`${digits}00`) : undefined;
}

/** What a time that {@link parseTime} refuses may have been meant to be: `-2M` is `-2m (minutes)` or `-60d`. */
export function meantTimes(text: string): string[] {
  const hour = compactHour(text);
  if (hour !== undefined) return [hour, `${new Date(Number(text) * 1000).toISOString().slice(0, -5)}Z`];
  return text.startsWith('-') ? meantDurations(text.slice(1)).map((meant) => `-${withNote(meant)}`) : [];
}

/** Where each partition is read from and up to, and where it ends now. */
export interface Bounds {
  from: TopicPartitionOffset[];
  /** Only where the span has an end. */
  until: TopicPartitionOffset[] | undefined;
  ends: TopicPartitionOffset[];
}

export interface SpanChoice {
  /** The partitions to read; left out: all of them. */
  only?: readonly number[] | undefined;
  /** Told of partitions that cannot be read now, which are in no list; left out, those make the call throw. */
  onTrouble?: ((trouble: Trouble) => void) | undefined;
}

/**
 * Where each partition of `topics` is read from, and up to where.
 *
 * A position past a partition's end is its end; one before its first record is its first record. A partition that
 * `p:o` does not name is not read. The end is the last stable offset, so that an open transaction of another producer is not waited for.
 *
 * @returns partitions with nothing to read are in all lists, at the same offset
 * @throws UserError for a partition that is not there
 */
export async function resolveSpan(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt'>,
  topics: readonly string[],
  span: Span,
  { only, onTrouble }: SpanChoice = {},
): Promise<Bounds> {
  const from: TopicPartitionOffset[] = [];
  const until: TopicPartitionOffset[] = [];
  const ends: TopicPartitionOffset[] = [];
  const perTopic = await Promise.all(
    topics.map(async (topic) => {
      let isWhole = true as boolean;
      const noted =
        onTrouble === undefined
          ? undefined
          : (trouble: Trouble): void => {
              isWhole = false;
              onTrouble(trouble);
            };
      const ranges = await kafka.offsets(topic, noted);
      if (only !== undefined && isWhole) mustExist(topic, only, ranges);
      const [starts, stops] = await Promise.all([
        locate(kafka, { topic, ranges, isWhole }, span.from),
        locate(kafka, { topic, ranges, isWhole }, span.to ?? { at: 'end' }),
      ]);
      return { topic, ranges, starts, stops };
    }),
  );
  for (const { topic, ranges, starts, stops } of perTopic) {
    for (const { partition, low, high, stable } of ranges) {
      const start = starts.get(partition);
      const stop = stops.get(partition);
      if (start === undefined || stop === undefined || only?.includes(partition) === false) continue;
      const offset = clamp(start, low, high);
      from.push({ topic, partition, offset });
      ends.push({ topic, partition, offset: stable });
      // A reader with an end stops at the present end; it does not wait for records that are still to be written.
      const end = least(stop, stable);
      until.push({ topic, partition, offset: end > offset ? end : offset });
    }
  }
  return { from, until: span.to === null ? undefined : until, ends };
}

async function locate(
  kafka: Pick<Kafka, 'offsetsAt'>,
  { topic, ranges, isWhole }: { topic: string; ranges: readonly OffsetRange[]; isWhole: boolean },
  position: Position,
): Promise<Map<number, bigint>> {
  switch (position.at) {
    case 'beginning':
      return new Map(ranges.map(({ partition, low }) => [partition, low]));
    case 'end':
      return new Map(ranges.map(({ partition, stable }) => [partition, stable]));
    case 'offset':
      return new Map(ranges.map(({ partition }) => [partition, position.offset]));
    case 'partitions':
      if (isWhole) mustExist(topic, [...position.offsets.keys()], ranges);
      return new Map(position.offsets);
    case 'time': {
      // What is left out here is left out of the ranges too.
      const found = await kafka.offsetsAt(topic, position.time, isWhole ? undefined : () => undefined);
      const offsets = new Map(found.map(({ partition, offset }) => [partition, offset]));
      // Of a partition without anything so late it is the end, and that is never in an open transaction.
      return new Map(
        ranges.map(({ partition, stable }) => [partition, least(offsets.get(partition) ?? stable, stable)]),
      );
    }
  }
}

function mustExist(topic: string, wanted: readonly number[], ranges: readonly OffsetRange[]): void {
  const missing = wanted.find((number) => ranges.every(({ partition }) => partition !== number));
  if (missing === undefined) return;
  throw new UserError(`${topic} has no partition ${missing}`, {
    why: ranges.length === 1 ? 'It has one, 0.' : `It has ${ranges.length}, 0 to ${ranges.length - 1}.`,
  });
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : least(value, high);
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

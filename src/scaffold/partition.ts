import { utcFormat } from 'd3-time-format';

/** One level of the table's partitions, as the template's files use it. */
export interface PartitionLevel {
  name: string;
  /** Its value in hippo.yaml: a template of the window's date, or plain text; empty with `every: event`. */
  value: string;
  /** The job's argument: `yyyymm={{ window | date: '%Y%m' }}`. */
  argument: string;
  /** A value for the sample input. */
  sample: string;
}

export type Frequency = 'event' | 'hour' | 'day' | 'month';

/** Names that imply the format of their date; `dt` and `date` do not. */
const FORMATS: Readonly<Record<string, string>> = {
  yyyy: '%Y',
  year: '%Y',
  mm: '%m',
  month: '%m',
  dd: '%d',
  day: '%d',
  hh: '%H',
  hour: '%H',
  yyyymm: '%Y%m',
  yyyymmdd: '%Y%m%d',
  yyyymmddhh: '%Y%m%d%H',
};

/** The date fields that the levels must contain together, so that a landed partition identifies its window. */
const NEEDED: Readonly<Record<Frequency, readonly string[]>> = {
  event: [],
  month: ['%Y', '%m'],
  day: ['%Y', '%m', '%d'],
  hour: ['%Y', '%m', '%d', '%H'],
};

const SAMPLE_DATE = new Date('2024-01-01T00:00:00Z');

type Read<T> = { value: T } | { problem: string };

/**
 * Reads `yyyymm`, `year,month`, `dt=%Y-%m-%d,region=us`: outermost level first.
 *
 * @param every with `event` a level needs only a name, because any partition fits; otherwise it needs a value
 */
export function readPartition(text: string, every: Frequency): Read<PartitionLevel[]> {
  const levels: PartitionLevel[] = [];
  const carried: string[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const [name = '', ...rest] = part.split('=');
    if (!/^[A-Za-z_]\w*$/.test(name)) return { problem: `"${part}" is no level: write LEVEL or LEVEL=VALUE` };
    if (levels.some((level) => level.name === name)) return { problem: `the level ${name} is there twice` };
    const level = readLevel(name, rest.length === 0 ? undefined : rest.join('='), every);
    if ('problem' in level) return level;
    levels.push(level.value);
    carried.push(...(level.value.value.match(/%[A-Za-z]/g) ?? []));
  }
  const missing = NEEDED[every].filter((directive) => !carried.includes(directive));
  if (missing.length === 0) return { value: levels };
  return {
    problem:
      `it does not tell the ${every} of what has landed: ${missing.join(', ')} missing. ` +
      `Name levels that do, or choose another --every`,
  };
}

function readLevel(name: string, given: string | undefined, every: Frequency): Read<PartitionLevel> {
  const format = given ?? FORMATS[name.toLowerCase()];
  if (every === 'event') {
    if (given !== undefined)
      return { problem: `with --every event any ${name} will do: write ${name} alone` };
    const sample = format === undefined ? 'sample' : utcFormat(format)(SAMPLE_DATE);
    return { value: { name, value: '', argument: `${name}={{ partition.${name} }}`, sample } };
  }
  if (format === undefined || format === '') {
    return {
      problem: `which ${name}? Write ${name}=us for always that one, ${name}=%Y-%m-%d for the window's date`,
    };
  }
  if (!/^([\p{L}\p{N}_.:+ -]|%[YmdH])+$/u.test(format)) {
    return {
      problem: `"${format}" may hold letters, digits, "._:+-", spaces, and %Y, %m, %d, %H of the date`,
    };
  }
  if (!format.includes('%'))
    return { value: { name, value: format, argument: `${name}=${format}`, sample: format } };
  const finer = given === undefined ? finerThan(format, every) : undefined;
  if (finer !== undefined) {
    return { problem: `${name} is finer than a ${every}: choose --every ${finer}, or write ${name}=FORMAT` };
  }
  const value = `{{ window | date: '${format}' }}`;
  return { value: { name, value, argument: `${name}=${value}`, sample: utcFormat(format)(SAMPLE_DATE) } };
}

/** The frequency of a format, if it is finer than the chosen one. */
function finerThan(format: string, every: 'hour' | 'day' | 'month'): Frequency | undefined {
  if (every !== 'hour' && format.includes('%H')) return 'hour';
  return every === 'month' && format.includes('%d') ? 'day' : undefined;
}

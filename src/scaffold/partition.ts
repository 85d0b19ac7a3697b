import { partitionPath } from '../messages/index.ts';
import { datePattern, dateUnitOf } from '../windows/index.ts';
import {
  DATE_UNITS,
  type DateUnit,
  UNITS,
  WINDOW_UNITS,
  type WindowUnit,
  isFiner,
  unitsOf,
} from '../windows/units.ts';

/** One level of the table's partitions, as the template's files use it. */
export interface PartitionLevel {
  name: string;
  /** Its value in hippo.yaml: a template of the window's date, or plain text; empty with `every: event`. */
  value: string;
  /** The format of its date, or plain text; empty with `every: event`. */
  format: string;
  /** The job's argument: `yyyymm={{ window | date: '%Y%m' }}`. */
  argument: string;
  /** A value for the sample input. */
  sample: string;
  /** The folder of that value, as Hive and Spark name it: `at=09%3A00`. */
  folder: string;
}

export type Frequency = 'event' | WindowUnit;

/** Names that imply the format of their date; `dt` and `date` do not. */
const FORMATS = new Map(DATE_UNITS.flatMap((unit) => Object.entries<string>(UNITS[unit].dates.levels)));

const units = unitsOf();
/** What is proposed to a job whose partitions are named by the minute. */
const EXAMPLE_PART = '15m';

/** The date fields that the levels must contain together, so that a landed partition identifies its window. */
function directivesOf(unit: WindowUnit): string[] {
  return units.runnable(unit).window.key.match(/%[A-Za-z]/g) ?? [];
}
/** Those that a level's format may use, the coarsest first. */
const DIRECTIVES = [...new Set([...WINDOW_UNITS.toReversed().flatMap(directivesOf), '%M'])];
const FORMAT = new RegExp(`^([\\p{L}\\p{N}_.:+-]|${DIRECTIVES.join('|')})+$`, 'u');

const SAMPLE_DATE = Date.UTC(2024, 0, 1);

type Read<T> = { value: T } | { problem: string };

/**
 * Reads `yyyymm`, `year,month`, `dt=%Y-%m-%d,region=us`: outermost level first.
 *
 * @param every with `event` a level needs only a name, because any partition fits; otherwise it needs a value
 * @param isFixed there is no flag `--every` by which it could be changed
 */
export function readPartition(
  text: string,
  every: Frequency,
  { isFixed = false } = {},
): Read<PartitionLevel[]> {
  const levels: PartitionLevel[] = [];
  const carried: string[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const [name = '', ...rest] = part.split('=');
    if (!/^[A-Za-z_]\w*$/.test(name)) return { problem: `"${part}" is no level: write LEVEL or LEVEL=VALUE` };
    if (levels.some((level) => level.name === name)) return { problem: `the level ${name} occurs twice` };
    const level = readLevel(name, rest.length === 0 ? undefined : rest.join('='), every, isFixed);
    if ('problem' in level) return level;
    levels.push({ ...level.value, folder: partitionPath([{ name, value: level.value.sample }]) });
    carried.push(...(level.value.value.match(/%[A-Za-z]/g) ?? []));
  }
  const needed = every === 'event' ? [] : directivesOf(every);
  const missing = needed.filter((directive) => !carried.includes(directive));
  if (missing.length === 0) return { value: levels };
  return {
    problem:
      `it does not tell the ${nounOf(every)} of what has landed: ${missing.join(', ')} missing. ` +
      (isFixed ? 'Name levels that do' : 'Name levels that do, or choose another --every'),
  };
}

function readLevel(
  name: string,
  given: string | undefined,
  every: Frequency,
  isFixed: boolean,
): Read<Omit<PartitionLevel, 'folder'>> {
  const format = given ?? FORMATS.get(name.toLowerCase());
  if (every === 'event') {
    if (given !== undefined)
      return {
        problem: `${isFixed ? '' : 'with --every event '}any ${name} will do: write ${name} alone`,
      };
    const sample = format === undefined ? 'sample' : sampleOf(format);
    return { value: { name, value: '', format: '', argument: `${name}={{ partition.${name} }}`, sample } };
  }
  if (format === undefined || format === '') {
    return {
      problem: `which ${name}? Write ${name}=us for always that one, ${name}=%Y-%m-%d for the window's date`,
    };
  }
  if (!FORMAT.test(format)) {
    return {
      problem: `"${format}" may hold letters, digits, "._:+-", and ${DIRECTIVES.join(', ')} of the date`,
    };
  }
  if (!format.includes('%'))
    return { value: { name, value: format, format, argument: `${name}=${format}`, sample: format } };
  const finer = given === undefined ? finerThan(format, every) : undefined;
  if (finer !== undefined) {
    return {
      problem: `${name} is finer than one ${nounOf(every)}: choose --every ${finer}, or write ${name}=FORMAT`,
    };
  }
  const value = `{{ window | date: '${format}' }}`;
  return { value: { name, value, format, argument: `${name}=${value}`, sample: sampleOf(format) } };
}

function nounOf(every: Frequency): string {
  return every === 'event' ? every : units.runnable(every).window.noun;
}

/** The frequency of a format, if it is finer than the dates of the chosen one. */
function finerThan(format: string, every: WindowUnit): WindowUnit | undefined {
  const [unit, usual] = [format, units.runnable(every).window.key].map(unitIn);
  if (unit === undefined || usual === undefined || !isFiner(unit, usual)) return undefined;
  return unit === 'minute' ? EXAMPLE_PART : unit;
}

function unitIn(format: string): DateUnit | undefined {
  return dateUnitOf((format.match(/%[A-Za-z]/g) ?? []).join(''));
}

function sampleOf(format: string): string {
  const pattern = datePattern(format);
  return 'unknown' in pattern ? format : pattern.format(SAMPLE_DATE);
}

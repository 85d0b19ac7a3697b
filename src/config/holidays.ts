import { readFileSync } from 'node:fs';
import { decodeText } from '../core/encoding.ts';
import { type ErrorPlace } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { longestBreak } from '../windows/units.ts';
import { type Problem, problemsError } from './problems.ts';
import type { CalendarConfig } from './schema.ts';

/** Where {@link readHolidays} finds the file. */
export interface HolidayPlace {
  /** Absolute. */
  file: string;
  /** The path as errors print it. */
  shown: string;
  /** Of `calendar.holidays`. */
  setting: ErrorPlace;
}

/** Far longer than any business rests. */
const LONGEST_BREAK = 366;

/**
 * Reads the file of `calendar.holidays`.
 *
 * @returns each date once, in order: `2017-12-25`
 * @throws UserError for a file that is missing, empty or wrong, with its line and column; and where no business day is left
 */
export async function readHolidays(
  { business_days: weekdays }: Pick<CalendarConfig, 'business_days'>,
  { file, shown, setting }: HolidayPlace,
): Promise<string[]> {
  const text = readText(file, shown, setting);
  const { dates, problems } = /\.ics$/i.test(file)
    ? (await import('./holidays-ics.ts')).readIcs(text)
    : (await import('./holidays-yaml.ts')).readList(text);
  const placed = problems.map(({ line, column, message }): Problem => {
    return { place: { file: shown, line, column }, message };
  });
  if (placed.length > 0) throw problemsError(shown, placed, setting.file);
  const sorted = [...new Set(dates)].sort();
  if (longestBreak({ weekdays, holidays: new Set(sorted.map(Date.parse)) }) > LONGEST_BREAK) {
    throw problemsError(
      shown,
      [{ place: setting, message: 'leaves no business day for more than a year' }],
      setting.file,
    );
  }
  return sorted;
}

function readText(file: string, shown: string, setting: ErrorPlace): string {
  try {
    return decodeText(readFileSync(file));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? `there is no file ${shown}` : `${shown}: ${fileReason(error)}`;
    throw problemsError(shown, [{ place: setting, message: `cannot be read: ${why}` }], setting.file);
  }
}

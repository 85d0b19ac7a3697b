/** A file of holidays, as it is read: its dates, and what is wrong in which line. */
export interface HolidayList {
  dates: string[];
  problems: { line: number; column: number; message: string }[];
}

/** What a date must be, for error messages. */
export const DATE_FORM = 'must be a date such as 2017-12-25';

const DAY = 86_400_000;

/** Whether there is such a day: not 2017-04-31. */
export function isDate(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** 2017-12-24 to 2017-12-26 → 2017-12-24, 2017-12-25 */
export function datesBetween(from: string, to: string): string[] {
  const count = Math.max(0, (Date.parse(to) - Date.parse(from)) / DAY);
  return Array.from({ length: count }, (_, day) =>
    new Date(Date.parse(from) + day * DAY).toISOString().slice(0, 10),
  );
}

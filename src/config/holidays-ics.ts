import ICAL from 'ical.js';
import { type HolidayList, DATE_FORM, datesBetween, isDate } from './holiday-dates.ts';

type Problem = HolidayList['problems'][number];

/** Recurring events without an end are read until then. */
const LAST_YEAR = 2100;
/** More days than a calendar of holidays has: an event each day from 1970 to {@link LAST_YEAR}. */
const MOST = 50_000;

/**
 * Reads holidays as iCalendar (RFC 5545): each day that an event covers as a whole, as its dates are written. An event with
 * a time of day is none, and one that is cancelled is none; recurring events are read until the end of 2100.
 */
export function readIcs(text: string): HolidayList {
  const lines = text.split(/\r?\n/);
  const wrong = wrongDates(lines);
  if (wrong.length > 0) return { dates: [], problems: wrong };
  const events = eventsIn(text, lines);
  if ('problem' in events) return { dates: [], problems: [events.problem] };
  const starts = lines.flatMap((line, index) => (/^BEGIN:VEVENT\s*$/i.test(line) ? [index + 1] : []));
  const found = events.map((event, index) => datesOf(event, starts[index] ?? 1));
  const problems = found.flatMap((one) => ('problem' in one ? [one.problem] : []));
  const dates = found.flatMap((one) => ('problem' in one ? [] : one.dates));
  if (problems.length > 0 || dates.length > 0) return { dates, problems };
  return { dates, problems: [{ line: 1, column: 1, message: 'has no event of whole days' }] };
}

/** ical.js takes 31 April for 1 May. */
function wrongDates(lines: readonly string[]): Problem[] {
  return lines.flatMap((line, index): Problem[] => {
    if (!/^(DTSTART|DTEND|RDATE|EXDATE)[;:]/i.test(line)) return [];
    const start = line.lastIndexOf(':') + 1;
    const isWrong = line
      .slice(start)
      .split(/[,/]/)
      .some((value) => !isDateValue(value.trim()));
    return isWrong ? [{ line: index + 1, column: start + 1, message: `${DATE_FORM} (20171225)` }] : [];
  });
}

/** `20171225`, `20171225T080000Z`; `P1D` of a period */
function isDateValue(value: string): boolean {
  const [, year = '', month = '', day = ''] = /^(\d{4})(\d\d)(\d\d)(T\d{6}Z?)?$/.exec(value) ?? [];
  return /^P/.test(value) || isDate(`${year}-${month}-${day}`);
}

function eventsIn(text: string, lines: readonly string[]): ICAL.Event[] | { problem: Problem } {
  try {
    if (text.trim() === '') return { problem: { line: 1, column: 1, message: 'is empty' } };
    const parsed = ICAL.parse(text) as unknown[];
    const calendars = (Array.isArray(parsed[0]) ? parsed : [parsed]) as unknown[][];
    return calendars.flatMap((calendar) =>
      new ICAL.Component(calendar).getAllSubcomponents('vevent').map((event) => new ICAL.Event(event)),
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const quoted = /"([^"]+)"$/.exec(message)?.[1];
    const line = quoted === undefined ? -1 : lines.findIndex((one) => one.includes(quoted));
    // What is quoted may be a secret, where hippo.yaml names the wrong file.
    const reason = message.replace(/ "[^"]*"$/, '');
    return { problem: { line: Math.max(line, 0) + 1, column: 1, message: `is not iCalendar: ${reason}` } };
  }
}

function datesOf(event: ICAL.Event, line: number): { dates: string[] } | { problem: Problem } {
  const problem = (message: string): { problem: Problem } => ({ problem: { line, column: 1, message } });
  const { component } = event;
  if (component.getFirstPropertyValue('dtstart') === null) return problem('is an event without DTSTART');
  if (component.getFirstPropertyValue('status') === 'CANCELLED') return { dates: [] };
  // The recurring event knows which of its days were moved.
  if (event.isRecurrenceException()) return { dates: [] };
  if (recursWithinDays(component)) return problem('is an event that recurs several times a day');
  try {
    const dates: string[] = [];
    for (const { startDate, endDate } of occurrencesOf(event)) {
      dates.push(...datesBetween(firstWholeDay(startDate), isoDate(endDate)));
      if (dates.length > MOST) return problem(`is an event of more than ${MOST} days`);
    }
    return { dates };
  } catch (error) {
    return problem(`is an event that cannot be read: ${error instanceof Error ? error.message : ''}`);
  }
}

function recursWithinDays(component: ICAL.Component): boolean {
  return component
    .getAllProperties('rrule')
    .some((rule) => /FREQ=(SECONDLY|MINUTELY|HOURLY)/.test(rule.toICALString()));
}

interface Occurrence {
  startDate: ICAL.Time;
  endDate: ICAL.Time;
}

function* occurrencesOf(event: ICAL.Event): Generator<Occurrence> {
  if (!event.isRecurring()) {
    yield event;
    return;
  }
  const iterator = event.iterator();
  for (let count = 0; count <= MOST; count += 1) {
    // Its type does not say that it ends.
    const next = iterator.next() as ICAL.Time | null | undefined;
    if (next === null || next === undefined || next.year > LAST_YEAR) return;
    yield event.getOccurrenceDetails(next);
  }
  throw new Error('it recurs too often');
}

function firstWholeDay(time: ICAL.Time): string {
  const next = time.clone();
  const isMidnight = time.isDate || (time.hour === 0 && time.minute === 0 && time.second === 0);
  if (!isMidnight) next.adjust(1, 0, 0, 0);
  return isoDate(next);
}

function isoDate(time: ICAL.Time): string {
  return time.toString().slice(0, 10);
}

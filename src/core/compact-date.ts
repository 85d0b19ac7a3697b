/** `20170428`, `201704280530`, `20170428053000`: the years are those that dates of events are in, and 9999 for "never". */
const COMPACT = /^((?:19|20|21)\d\d|9999(?=\d{4}$))(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?$/;

/** Whether digits alone are written like a date; as epoch seconds or milliseconds they would be in the seventies, or after 2570. */
export function looksLikeDate(digits: string): boolean {
  return COMPACT.test(digits);
}

/**
 * The date that digits alone are.
 *
 * @returns ISO 8601 without a zone (`2017-04-28`, `2017-04-28T05:30`, `2017-04-28T05:30:00`); undefined for what no calendar has
 */
export function compactDate(digits: string): string | undefined {
  const [, year = '', month = '', day = '', hour, minute, second] = COMPACT.exec(digits) ?? [];
  if (year === '') return undefined;
  const time =
    hour === undefined ? '' : `T${[hour, minute, second].filter((part) => part !== undefined).join(':')}`;
  const iso = `${year}-${month}-${day}${time}`;
  return isOnCalendar(iso) ? iso : undefined;
}

/** Epoch milliseconds of what {@link compactDate} returns, read as UTC. */
export function compactMillis(iso: string): number {
  return Date.parse(iso.includes('T') ? `${iso}Z` : iso);
}

/** Date.parse takes the 31st of April for the 1st of May. */
function isOnCalendar(iso: string): boolean {
  const millis = compactMillis(iso);
  return Number.isFinite(millis) && new Date(millis).toISOString().startsWith(iso);
}

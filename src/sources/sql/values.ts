/**
 * PostgreSQL's own texts of values, as partitions and times have them. The session must write dates in the style ISO, and times
 * with a zone in UTC.
 */
import type { Millis } from '../../core/clock.ts';

/** Of built-in types (pg_type.dat of PostgreSQL). */
export const OID = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  bpchar: 1042,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
} as const;

/** @param text as PostgreSQL writes it. @returns `2017-04-28`, `2017-04-28T22:00:00Z`, `1.50`, `true` */
export function valueText(oid: number, text: string): string {
  switch (oid) {
    case OID.bool:
      return text === 't' ? 'true' : 'false';
    case OID.timestamp:
      return text.replace(' ', 'T');
    case OID.timestamptz:
      return text.replace(' ', 'T').replace(/\+00$/, 'Z');
    case OID.bpchar:
      // Blanks at the end of a character(n) do not count.
      return text.trimEnd();
    default:
      return text;
  }
}

export function isTime(oid: number): boolean {
  return oid === OID.date || oid === OID.timestamp || oid === OID.timestamptz;
}

/**
 * @param oid of a type that {@link isTime}; without a zone it is a time in UTC, and a date the beginning of its day
 * @returns undefined for a time that no event may have, such as `infinity` and the years before Christ
 */
export function millisOf(oid: number, text: string): Millis | undefined {
  const [, date, time = '00:00:00', fraction = ''] =
    /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(\.\d{1,6})?(?:\+00)?)?$/.exec(text) ?? [];
  if (date === undefined || !isTime(oid)) return undefined;
  const millis = Date.parse(`${date}T${time}${fraction.slice(0, 4)}Z`);
  return Number.isNaN(millis) ? undefined : millis;
}

/** What a row says of a landing. */
export interface ReadRow {
  /** One for each level; null is SQL's NULL. */
  values: readonly (string | null)[];
  /** undefined: the time is not known, and is now. */
  landedAt: Millis | undefined;
  /** All that makes a re-landing when it changes. */
  found: string;
}

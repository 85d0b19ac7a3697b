import { randomInt } from 'node:crypto';
import type { Millis } from '../core/clock.ts';

/**
 * Events of a backfill carry two headers, from which any operator can continue it: `hippo-backfill: <id>/<n>/<total>`
 * is the event's number and the total; `hippo-backfill-plan` (JSON, only for a range) describes the whole backfill.
 */
export const BACKFILL_HEADER = 'hippo-backfill';
export const PLAN_HEADER = 'hippo-backfill-plan';

/** Which of how many an event is. */
export interface BackfillMark {
  id: string;
  /** From 1. For a file: the line. */
  n: number;
  /** For a file: the number of its lines. */
  total: number;
}

export function writeMark({ id, n, total }: BackfillMark): string {
  return `${id}/${n}/${total}`;
}

export function readMark(text: string): BackfillMark | undefined {
  const [, id = '', n = '', total = ''] = /^([^/]+)\/(\d{1,15})\/(\d{1,15})$/.exec(text) ?? [];
  const mark = { id, n: Number(n), total: Number(total) };
  return backfillBegan(id) !== undefined && mark.n >= 1 && mark.n <= mark.total ? mark : undefined;
}

const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{4}$/;
/** Without characters that look like another. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** `20170428T155546Z-k3x9`: tells when it began, so that it is found without reading all that came before. */
export function newBackfillId(now: Millis): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`;
}

/** When a backfill began, by its id; undefined: the text is none. */
export function backfillBegan(id: string): Millis | undefined {
  const [, year, month, day, hour, minute, second] = ID.exec(id) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

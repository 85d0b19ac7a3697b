import { CLOCK_TIME, clockTimeFor } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { type Calendar, type TemplateResult, wallClockAfter } from '../../windows/index.ts';
import { type WindowUnit, isFiner } from '../../windows/units.ts';
import type { Timing } from './definition.ts';

/** @param at as it stands in hippo.yaml: a time of day after the window's end or, for windows shorter than a day, a duration */
export function compileTiming(
  at: string,
  { unit, calendar }: { unit: WindowUnit; calendar: Calendar },
): TemplateResult<Timing['dueAt']> {
  if (isFiner(unit, 'day')) {
    const after = parseDuration(at);
    if (after !== undefined) return { ok: true, value: ({ end }) => end + after };
    return {
      ok: false,
      message: `"${at}" is no duration`,
      allowed: 'the time after the window ends, such as 5m',
    };
  }
  if (CLOCK_TIME.test(at)) return { ok: true, value: (window) => wallClockAfter(calendar, window, at) };
  const allowed = `a time of day such as ${clockTimeFor(at, '02:00')}`;
  return { ok: false, message: `"${at}" is no time of day`, allowed };
}

import type { Millis } from '../../core/clock.ts';

export type WindowUnit = 'hour' | 'day' | 'month';

export interface Window {
  readonly key: string;
  /** Bounds, epoch ms: the start belongs to the window, the end to the next. */
  readonly start: Millis;
  readonly end: Millis;
  /** The date that names the window, as a wall clock shows it, written as if it were UTC: templates format it. */
  readonly date: Millis;
}
export interface Calendar {
  readonly timezone: string;
}

import type { Millis } from '../core/clock.ts';
import { type Calendar, type Window, remember } from './calendar.ts';
import {
  type Shift,
  dateParser,
  dateUnitOf,
  escapeRegExp,
  inverseShifts,
  inverseSlack,
  shiftDate,
} from './strftime.ts';
import { type Piece, type TemplateResult, WINDOW_FORM, renderPieces } from './template.ts';
import { DATE_UNITS, type DateUnit, UNITS, type WindowUnit } from './units.ts';

/** What a need expects of a window, level by level, and back: which windows a landed partition serves. */
export interface PartitionTemplate {
  /** Whether a partition belongs to one window: a day's does, a month's of daily windows does not. Ends of months may coincide. */
  readonly identifiesOneWindow: boolean;
  render(window: Window): string[];
  /** The windows for which {@link render} gives these values, in order. */
  windows(values: readonly string[]): readonly Window[];
}

const DAY = 86_400_000;

/** Dates that catch what names them ambiguously: leap day, ends of month and year, an afternoon, the turn of the century. */
const PROBES = [
  '2016-02-29T13:00Z',
  '2019-12-31T23:00Z',
  '2021-03-31T01:00Z',
  '2023-01-01T00:00Z',
  '2024-10-15T18:00Z',
].map((text) => Date.parse(text));

/** The dates of one shift that stand in the levels, together. */
interface Reading {
  shifts: readonly Shift[];
  unit: DateUnit;
  /** How far dates that the values mean may be outside of the unit: an ISO year begins up to three days before or after 1 January. */
  slack: Millis;
  /** The first date that the values can mean, before the shifts. */
  parse(values: readonly string[]): Millis | undefined;
}

/**
 * A partition is matched by reading the dates out of its values, going back by the shifts, and rendering every window
 * that comes into question: only those that render to these very values match.
 *
 * @param levels outermost first; at least one piece is a date
 */
export function compilePartition(
  levels: readonly (readonly Piece[])[],
  calendar: Calendar,
  unit: WindowUnit,
): TemplateResult<PartitionTemplate> {
  const { units } = calendar;
  const render = (window: Window): string[] =>
    levels.map((pieces) => renderPieces(pieces, window.date, units));
  const probes = PROBES.flatMap((date) => calendar.ofDate(unit, date));
  for (const reading of readings(levels)) {
    const find = (values: readonly string[]): Window[] => {
      const from = reading.parse(values);
      if (from === undefined) return [];
      const back = inverseShifts(reading.shifts);
      const slack = reading.slack + inverseSlack(reading.shifts, units);
      const to = UNITS[reading.unit].plus(from, 1);
      return calendar
        .between(unit, shiftDate(from, back, units) - slack, shiftDate(to, back, units) + slack)
        .filter((window) => render(window).every((value, level) => value === values[level]));
    };
    // The partitions of a backlog repeat: of each table and each landing again the same values.
    const known = new Map<string, readonly Window[]>();
    const windows = (values: readonly string[]): readonly Window[] => {
      const key = values.join('\0');
      return known.get(key) ?? remember(known, key, find(values));
    };
    const found = probes.map((window) => windows(render(window)).map(({ key }) => key));
    if (probes.every(({ key }, index) => found[index]?.includes(key))) {
      const identifiesOneWindow = found.filter((keys) => keys.length === 1).length > probes.length / 2;
      return { ok: true, value: { identifiesOneWindow, render, windows } };
    }
  }
  const example = probes[0] === undefined ? '' : render(probes[0]).join('/');
  return {
    ok: false,
    message: `"${example}" does not tell which ${units.runnable(unit).window.noun}s it is for`,
    allowed: `a date that can be read back, with its year: ${WINDOW_FORM}`,
  };
}

/** The ways to read a date out of the levels: one for each shift that occurs, the most precise first. */
function readings(levels: readonly (readonly Piece[])[]): Reading[] {
  const shapes = levels.map((pieces) => new RegExp(`^${pieces.map(shapeOf).join('')}$`));
  const dates = levels.flatMap((pieces, level) =>
    pieces
      .filter((piece) => typeof piece !== 'string')
      .map((piece, index) => ({ ...piece, level, group: index + 1, by: JSON.stringify(piece.shifts) })),
  );
  return [...Map.groupBy(dates, ({ by }) => by).values()]
    .flatMap((members): Reading[] => {
      const [first] = members;
      const directives = members.map(({ pattern }) => pattern.directives).join('');
      const unit = dateUnitOf(directives);
      if (first === undefined || unit === undefined) return [];
      const parse = dateParser(members.map(({ pattern }) => pattern.source).join('|'));
      return [
        {
          shifts: first.shifts,
          unit,
          slack: unit === 'year' && directives.includes('G') ? 3 * DAY : 0,
          parse(values) {
            if (values.length !== levels.length) return undefined;
            const found = shapes.map((shape, level) => shape.exec(values[level] ?? ''));
            if (found.includes(null)) return undefined;
            return parse(members.map(({ level, group }) => found[level]?.[group] ?? '').join('|'));
          },
        },
      ];
    })
    .sort((a, b) => DATE_UNITS.indexOf(a.unit) - DATE_UNITS.indexOf(b.unit));
}

function shapeOf(piece: Piece): string {
  return typeof piece === 'string' ? escapeRegExp(piece) : `(${piece.pattern.matches})`;
}

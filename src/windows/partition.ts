import type { Millis } from '../core/clock.ts';
import type { Calendar, Window, WindowUnit } from './calendar.ts';
import {
  afterSpan,
  blur,
  dateParser,
  escapeRegExp,
  reversed,
  type Shift,
  shiftDate,
  type Span,
  SPANS,
  spanOf,
} from './strftime.ts';
import { type Compiled, type Piece, renderPieces, WINDOW_FORM } from './template.ts';

/** What a need expects of a window, level by level, and back: which windows a landed partition serves. */
export interface PartitionTemplate {
  /** Whether a partition names one window; a month does not name a day. Ends of months may coincide. */
  readonly names: boolean;
  render(window: Window): string[];
  /** The windows for which {@link render} gives these values, in order. */
  windows(values: readonly string[]): Window[];
}

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
  span: Span;
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
): Compiled<PartitionTemplate> {
  const render = (window: Window): string[] => levels.map((pieces) => renderPieces(pieces, window.date));
  const probes = PROBES.flatMap((date) => calendar.between(unit, ...unitOf(date, unit)));
  for (const reading of readings(levels)) {
    const windows = (values: readonly string[]): Window[] => {
      const from = reading.parse(values);
      if (from === undefined) return [];
      const back = reversed(reading.shifts);
      const slack = blur(back);
      const to = afterSpan(from, reading.span);
      return calendar
        .between(unit, shiftDate(from, back) - slack, shiftDate(to, back) + slack)
        .filter((window) => render(window).every((value, level) => value === values[level]));
    };
    const found = probes.map((window) => windows(render(window)).map(({ key }) => key));
    if (probes.every(({ key }, index) => found[index]?.includes(key))) {
      const names = found.filter((keys) => keys.length === 1).length > probes.length / 2;
      return { ok: true, value: { names, render, windows } };
    }
  }
  const example = probes[0] === undefined ? '' : render(probes[0]).join('/');
  return {
    ok: false,
    message: `"${example}" does not tell which ${unit}s it is for`,
    allowed: `a date that can be read back, with its year: ${WINDOW_FORM}`,
  };
}

/** The dates of the unit that a moment lies in. */
function unitOf(date: Millis, unit: WindowUnit): [from: Millis, to: Millis] {
  const at = new Date(date);
  const [year, month, day, hour] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours()];
  const from = {
    hour: Date.UTC(year, month, day, hour),
    day: Date.UTC(year, month, day),
    month: Date.UTC(year, month),
  };
  return [from[unit], from[unit] + 1];
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
      const span = spanOf(members.map(({ pattern }) => pattern.directives).join(''));
      if (first === undefined || span === undefined) return [];
      const parse = dateParser(members.map(({ pattern }) => pattern.source).join('|'));
      return [
        {
          shifts: first.shifts,
          span,
          parse(values) {
            if (values.length !== levels.length) return undefined;
            const found = shapes.map((shape, level) => shape.exec(values[level] ?? ''));
            if (found.includes(null)) return undefined;
            return parse(members.map(({ level, group }) => found[level]?.[group] ?? '').join('|'));
          },
        },
      ];
    })
    .sort((a, b) => SPANS.indexOf(a.span) - SPANS.indexOf(b.span));
}

function shapeOf(piece: Piece): string {
  return typeof piece === 'string' ? escapeRegExp(piece) : `(${piece.pattern.matches})`;
}

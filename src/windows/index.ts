/**
 * Event time: windows in a time zone, dates as strftime writes them, and templates of a window's date. Pure: nothing of
 * Node, no clock.
 */
export { type Calendar, type Window, type WindowUnit, WINDOW_UNITS, createCalendar } from './calendar.ts';
export { type PartitionTemplate, compilePartition } from './partition.ts';
export {
  type DatePattern,
  DIRECTIVES,
  SPANS,
  type Span,
  afterSpan,
  dateParser,
  datePattern,
  spanOf,
} from './strftime.ts';
export {
  type ArgumentContext,
  type ArgumentTemplate,
  type Compiled,
  type Piece,
  type TemplateProblem,
  WindowDate,
  compileArgument,
  compilePieces,
} from './template.ts';

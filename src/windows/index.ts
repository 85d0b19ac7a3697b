/**
 * Event time: windows in a time zone, dates as strftime writes them, and templates of a window's date. Pure: nothing of
 * Node, no clock. What needs the table of units only imports units.ts, which loads nothing else.
 */
export { type Calendar, type Window, createCalendar } from './calendar.ts';
export { type PartitionTemplate, compilePartition } from './partition.ts';
export { type DatePattern, DIRECTIVES, datePattern, dateUnitOf } from './strftime.ts';
export {
  type ArgumentContext,
  type ArgumentTemplate,
  type OutputTemplate,
  type Piece,
  type TemplateProblem,
  type TemplateResult,
  WindowDate,
  compileArgument,
  compileOutput,
  compilePieces,
} from './template.ts';
export { wallClockAfter } from './wall-clock.ts';
export { type Zone, instantOf, isoIn, openZone, sinceMidnight, wallTime } from './zone.ts';

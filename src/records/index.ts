/** Records as files and terminals show them: lines, JSON envelopes, output; and the times that people type. */
export { printEnvelope, readLine, readRecord } from './envelope.ts';
export { jsonValue } from './json-value.ts';
export { type LineFile, type LineSpans, findLines, readLines, readSpans, rereadable } from './lines.ts';
export { POSITION_TIMES, meantTimes, parseTime } from './positions.ts';
export { type Output, type Printer, Sink } from './sink.ts';

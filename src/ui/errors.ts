import { chalkStderr as chalk } from 'chalk';
import { type ErrorPlace, type ErrorReport, type HippoError } from '../core/errors.ts';
import { visible, visibleLines } from '../core/visible.ts';
import { wrap } from './text.ts';

/** An error as people read it: what, where, why, what to do next. Only a bug shows a stack. */
export function renderErrorReport(error: ErrorReport): string {
  const lines = headline(error);
  const place = error.place === undefined ? '' : describePlace(error.place);
  if (place !== '') lines.push(`  ${chalk.dim('at')} ${visible(place)}`);
  if (error.why !== undefined) lines.push(...visibleLines(error.why).split('\n').flatMap(wrapped));
  for (const [index, step] of error.next.entries()) {
    lines.push(`  ${index === 0 ? chalk.cyan('→') : ' '} ${visibleLines(step)}`);
  }
  if (error.stack !== undefined) lines.push('', 'This is a bug in hippo. Its stack:', ...indent(error.stack));
  return lines.join('\n');
}

/** What is wrong in a file may be a long sentence; other headlines have names that are copied. */
function headline({ message, place }: ErrorReport): string[] {
  const mark = `${chalk.red('✗')} `;
  return place?.file === undefined ? [mark + visibleLines(message)] : wrap(visibleLines(message), mark);
}

/** What may stand around a command in a remedy: `or hippo up`, `hippo up    (creates the topics)`. */
const AROUND_COMMAND = /^(?:or|then) |\s{2,}\(.*$/g;

/** The error without the remedy that is the command which has just failed. */
export function withoutTyped(report: ErrorReport, typed: string | undefined): ErrorReport {
  return { ...report, next: report.next.filter((step) => step.replaceAll(AROUND_COMMAND, '') !== typed) };
}

export function jsonError(error: HippoError): ErrorReport {
  return { ...error.toJSON(), ...(error.kind === 'bug' ? { stack: stackOf(error) } : {}) };
}

/** `hippo.yaml:12:7 (jobs.load.every)`, `frontier-adw[0]`. */
export function describePlace(place: ErrorPlace): string {
  const parts: string[] = [];
  if (place.file !== undefined) {
    parts.push([place.file, place.line, place.column].filter((part) => part !== undefined).join(':'));
  }
  if (place.topic !== undefined) {
    parts.push(place.partition === undefined ? place.topic : `${place.topic}[${place.partition}]`);
  }
  if (place.key !== undefined) parts.push(parts.length === 0 ? place.key : `(${place.key})`);
  return parts.join(' ');
}

function stackOf(error: HippoError): string {
  const origin = error.cause instanceof Error ? error.cause : error;
  return origin.stack ?? origin.message;
}

/** A line of a list keeps its indent. */
function wrapped(line: string): string[] {
  const [blank = ''] = /^\s*/.exec(line) ?? [];
  return wrap(line, `  ${blank}`);
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}

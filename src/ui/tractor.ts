import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { ExitCode } from '../core/errors.ts';
import type { Outcome, Stuck } from '../tractor/recovery.ts';
import type { PlanPart, TractorPlan, TractorReport } from '../tractor/tractor.ts';
import { wrap } from './text.ts';

/** At most this many entries of one part of the plan are shown; `--json` has all of them. */
const SHOWN = 12;
/** Lines that one reason may take. */
const REASON_LINES = 3;

/** What is stuck: what, why, and the command that moves it. */
export function renderPlan(plan: TractorPlan): string {
  const parts = plan.parts.filter(({ stuck }) => stuck.length > 0);
  const where = `${plan.hippos === null ? 'all hippos' : plan.hippos.join(', ')}, events since ${minute(plan.since)}`;
  if (parts.length === 0)
    return [`${chalk.green('✓')} Nothing is stuck (${where}).`, ...unreadable(plan)].join('\n');
  return [
    ...parts.flatMap((part) => [...renderPart(part), '']),
    chalk.dim(`(${where})`),
    ...unreadable(plan),
  ].join('\n');
}

function renderPart({ title, stuck }: PlanPart): string[] {
  const more = stuck.length - SHOWN;
  return [
    chalk.bold(`${title} (${stuck.length})`),
    ...stuck.slice(0, SHOWN).flatMap(renderStuck),
    ...(more > 0 ? [chalk.dim(`  and ${more} more; --json lists them all`)] : []),
  ];
}

function renderStuck({ what, why, command, pull }: Stuck): string[] {
  const reason = wrap(why, '    ');
  const shown =
    reason.length > REASON_LINES
      ? [...reason.slice(0, REASON_LINES - 1), `${reason[REASON_LINES - 1] ?? ''} …`]
      : reason;
  return [
    ...wrap(what, pull ? `  ${chalk.red('✗')} ` : `  ${chalk.yellow('!')} `, '    '),
    ...shown,
    `    ${chalk.cyan('→')} ${command}`,
  ];
}

function unreadable({ unreadable: count }: TractorPlan): string[] {
  if (count === 0) return [];
  return wrap(
    `${count} ${count === 1 ? 'record' : 'records'} could not be parsed. List rejected records: hippo replay --dry-run`,
    chalk.yellow('! '),
    '  ',
  );
}

/** One line as soon as an outcome is known. */
export function renderOutcome({ what, result, duration, error }: Outcome): string {
  const took = duration === null ? '' : ` (${formatDuration(duration * 1000)})`;
  switch (result) {
    case 'succeeded':
      return `${chalk.green('✓')} ${what} succeeded${took}`;
    case 'failed':
      return wrap(`${what} failed${took}${error === null ? '' : `: ${error}`}`, `${chalk.red('✗')} `, '  ')
        .slice(0, REASON_LINES)
        .join('\n');
    case 'timed-out':
      return `${chalk.yellow('!')} ${what} has not finished yet`;
    case 'asked':
      return `${chalk.cyan('→')} ${what} has been asked for`;
  }
}

/** The last line: what to type next, or the outcomes of the pulled runs. */
export function renderTractorEnd({ parts, pulled }: TractorReport): string {
  const stuck = parts.flatMap((part) => part.stuck);
  const runs = (count: number): string => `${count} ${count === 1 ? 'run' : 'runs'}`;
  if (pulled === null) {
    const pullable = stuck.filter(({ pull }) => pull).length;
    return pullable === 0
      ? ''
      : `Run the ${pullable === 1 ? 'failed run' : `${pullable} failed runs`} again: hippo tractor --pull`;
  }
  const out = pulled.filter(({ result }) => result === 'succeeded').length;
  const asked = pulled.filter(({ result }) => result === 'asked').length;
  const left = stuck.length - pulled.length;
  const rest = left === 0 ? '' : ` ${left} of the plan ${left === 1 ? 'is' : 'are'} for a person to do.`;
  return asked > 0
    ? `${runs(asked)} asked for; see what comes: hippo tail hippo-finish.${rest}`
    : `${out} of ${runs(pulled.length)} pulled out.${rest}`;
}

/** The exit code: {@link ExitCode.notFine} while something is stuck that was not pulled out. */
export function tractorVerdict({ parts, pulled }: TractorReport): ExitCode {
  if (pulled?.some(({ result }) => result === 'timed-out') === true) return ExitCode.timeout;
  const done = pulled?.filter(({ result }) => result === 'succeeded').length ?? 0;
  const stuck = parts.reduce((sum, part) => sum + part.stuck.length, 0);
  return stuck > done ? ExitCode.notFine : ExitCode.ok;
}

/** `2026-11-24 13:05 UTC` */
function minute(isoText: string): string {
  return `${isoText.slice(0, 10)} ${isoText.slice(11, 16)} UTC`;
}

import chalk from 'chalk';
import stringWidth from 'fast-string-width';
import { visible } from '../core/visible.ts';
import type { Check, Finding, FindingStatus } from '../doctor/check.ts';
import type { CheckReport, DoctorReport } from '../doctor/runner.ts';
import { wrap } from './text.ts';

const MARKS: Record<FindingStatus, string> = {
  ok: chalk.green('✓'),
  warning: chalk.yellow('!'),
  unknown: chalk.yellow('?'),
  error: chalk.red('✗'),
  skipped: chalk.dim('-'),
};

/** `[✓] Java (17.0.13)` and, indented, what was found with what to do about it. */
export function renderCheck(report: CheckReport): string {
  const title = `[${MARKS[report.status]}] ${report.title}${report.summary === '' ? '' : ` (${visible(report.summary)})`}`;
  return [title, ...report.findings.flatMap(renderFinding)].join('\n');
}

function renderFinding({ status, text, remedy }: Finding): string[] {
  const lines = wrap(visible(text), `    ${MARKS[status]} `);
  if (remedy?.text !== undefined) lines.push(...wrap(visible(remedy.text), '      '));
  for (const command of remedy?.commands ?? []) lines.push(`      ${chalk.cyan('→')} ${visible(command)}`);
  return lines;
}

/** The last line: how many checks have issues. */
export function renderTotals({ checks, totals }: DoctorReport): string {
  const looked = checks.length - totals.skipped;
  const ill = totals.error + totals.warning + totals.unknown;
  const skipped = totals.skipped === 0 ? '' : ` (${totals.skipped} skipped)`;
  if (ill === 0) return `${chalk.green('✓')} No issues found in ${count(looked, 'check')}${skipped}.`;
  const kinds = [
    totals.error === 0 ? '' : chalk.red(count(totals.error, 'error')),
    totals.unknown === 0 ? '' : chalk.yellow(`${totals.unknown} unknown`),
    totals.warning === 0 ? '' : chalk.yellow(count(totals.warning, 'warning')),
  ].filter((part) => part !== '');
  const mark = totals.error > 0 ? MARKS.error : MARKS.warning;
  return `${mark} Issues in ${ill} of ${count(looked, 'check')}: ${kinds.join(', ')}${skipped}.`;
}

/** What the checks are, for `--list`. */
export function renderCheckList(checks: readonly Pick<Check, 'id' | 'about'>[]): string {
  const width = Math.max(...checks.map(({ id }) => stringWidth(id)));
  return checks.map(({ id, about }) => `${id.padEnd(width)}  ${about}`).join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

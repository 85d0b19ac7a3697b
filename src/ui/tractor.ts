import chalk from 'chalk';
import { formatSeconds } from '../core/duration.ts';
import { ExitCode } from '../core/errors.ts';
import { listed } from '../core/listed.ts';
import { visible } from '../core/visible.ts';
import type { Outcome, Stuck } from '../tractor/recovery.ts';
import type { PlanPart, TractorPlan, TractorReport } from '../tractor/tractor.ts';
import { renderHidden } from './hidden.ts';
import { count, cut, wrap } from './text.ts';

/** At most this many entries of one part of the plan are shown; `--json` has all of them. */
const SHOWN = 12;
/** Lines that one reason may take. */
const REASON_LINES = 3;

/** What is stuck: what, why, and the command that moves it. */
export function renderPlan(plan: TractorPlan): string {
  const parts = plan.parts.filter(({ stuck }) => stuck.length > 0);
  const where = `${plan.hippos === null ? 'all hippos' : plan.hippos.join(', ')}, events since ${minute(plan.since)}`;
  if (parts.length === 0)
    return [nothing(plan, where), ...unneeded(plan), ...unreadable(plan), ...renderHidden(plan.hidden)].join(
      '\n',
    );
  return [
    ...parts.flatMap((part) => [...renderPart(part), '']),
    chalk.dim(`(${where})`),
    ...unneeded(plan),
    ...unreadable(plan),
    ...renderHidden(plan.hidden),
  ].join('\n');
}

function nothing({ hidden }: TractorPlan, where: string): string {
  return hidden.length === 0
    ? `${chalk.green('✓')} Nothing is stuck (${where}).`
    : `${chalk.yellow('!')} Nothing that can be read is stuck (${where}).`;
}

function renderPart({ title, stuck }: PlanPart): string[] {
  const groups = alike(stuck);
  const more = groups.slice(SHOWN).flat().length;
  return [
    chalk.bold(`${title} (${stuck.length})`),
    ...groups.slice(0, SHOWN).flatMap(renderGroup),
    ...(more > 0 ? [chalk.dim(`  and ${more} more; --json lists them all`)] : []),
  ];
}

/** Runs of one job that ended for the same cause, and for which the same has to be known; in the order of the first of each. */
function alike(stuck: readonly Stuck[]): Stuck[][] {
  const groups = Map.groupBy(stuck, ({ hippo, job, run_key: key, cause, notes, pull }, index) =>
    JSON.stringify(cause === null || key === null ? index : [hippo, job, cause, notes, pull]),
  );
  return [...groups.values()];
}

function renderGroup(group: readonly Stuck[]): string[] {
  const [first, second] = group;
  if (first === undefined) return [];
  const name = second === undefined ? first.what : `${first.hippo ?? ''}/${first.job ?? ''} ${keysOf(group)}`;
  const command = second === undefined ? first.command : `${first.command}    (the oldest; --json lists all)`;
  return [
    ...wrap(visible(name), first.pull ? `  ${chalk.red('✗')} ` : `  ${chalk.yellow('!')} `, '    '),
    ...(second === undefined
      ? reasonOf(first)
      : [...shortened(visible(first.cause ?? '')), ...timesOf(group)]),
    ...first.notes.flatMap((note) => wrap(visible(note), '    ')),
    `    ${chalk.cyan('→')} ${visible(command)}`,
  ];
}

/** What an error says may be long; what this tool says itself is not cut. */
function reasonOf({ why, cause }: Stuck): string[] {
  return cause === null ? wrap(visible(why), '    ') : shortened(visible(why));
}

function shortened(reason: string): string[] {
  const lines = wrap(reason, '    ');
  return lines.length > REASON_LINES
    ? [...lines.slice(0, REASON_LINES - 1), cut(`${lines[REASON_LINES - 1] ?? ''} …`)]
    : lines;
}

/** `201701 … 202406 (90 runs)` */
function keysOf(group: readonly Stuck[]): string {
  const keys = group.map(({ run_key: key }) => key ?? '').sort();
  return `${keys[0] ?? ''} … ${keys.at(-1) ?? ''} (${count(group.length, 'run')})`;
}

function timesOf(group: readonly Stuck[]): string[] {
  const times = group.map(({ since }) => since).sort();
  const [first, last] = [minute(times[0] ?? ''), minute(times.at(-1) ?? '')];
  return wrap(first === last ? `all at ${first}` : `the first at ${first}, the last at ${last}`, '    ');
}

/** What sources, services and jobs publish for no hippo here is not stuck; it may be for others, or for none. */
function unneeded({ unneeded: tables }: TractorPlan): string[] {
  if (tables.length === 0) return [];
  const events = tables.reduce((sum, table) => sum + table.events, 0);
  const names = listed(tables.map(({ table }) => visible(table)));
  const text = `${count(events, 'event')} of sources, services or jobs (${names}): read by all hippos with jobs here, and needed by none of them`;
  return wrap(text, chalk.dim('· '), '  ');
}

function unreadable({ unreadable: records }: TractorPlan): string[] {
  if (records === 0) return [];
  return wrap(
    `${count(records, 'record')} could not be parsed. List rejected records: hippo replay --dry-run`,
    chalk.yellow('! '),
    '  ',
  );
}

/** One line as soon as an outcome is known. */
export function renderOutcome({ hippo, what: name, result, duration, error }: Outcome): string {
  const what = visible(name);
  const took = duration === null ? '' : ` (${formatSeconds(duration)})`;
  switch (result) {
    case 'succeeded':
      return `${chalk.green('✓')} ${what} succeeded${took}`;
    case 'failed':
      return wrap(
        `${what} failed${took}${error === null ? '' : `: ${visible(error)}`}`,
        `${chalk.red('✗')} `,
        '  ',
      )
        .slice(0, REASON_LINES)
        .join('\n');
    case 'refused':
      return wrap(`${what} was refused: ${error ?? ''}`, `${chalk.red('✗')} `, '  ').join('\n');
    case 'timed-out':
      return `${chalk.yellow('!')} ${what} has not finished yet`;
    case 'no-client':
      return [
        ...wrap(
          `${what} has been asked for, but no client of ${hippo} is running: the request stays in its topic until one starts.`,
          `${chalk.yellow('!')} `,
        ),
        `  ${chalk.cyan('→')} hippo run    (in ${hippo}'s project)`,
      ].join('\n');
    case 'asked':
      return `${chalk.cyan('→')} ${what} has been asked for`;
  }
}

/** The last line: what to type next, or the outcomes of the pulled runs. */
export function renderTractorEnd({ parts, pulled }: TractorReport): string {
  const stuck = parts.flatMap((part) => part.stuck);
  if (pulled === null) {
    const pullable = stuck.filter(({ pull }) => pull).length;
    return pullable === 0
      ? ''
      : `Run the ${pullable === 1 ? 'failed run' : `${pullable} failed runs`} again: hippo tractor --pull`;
  }
  const out = pulled.filter(({ result }) => result === 'succeeded').length;
  const asked = pulled.filter(({ result }) => result === 'asked').length;
  const left = stuck.length - pulled.length;
  const rest =
    left === 0
      ? ''
      : ` ${left} ${left === 1 ? 'entry of the plan needs' : 'entries of the plan need'} a person.`;
  return asked > 0
    ? `${count(asked, 'run')} asked for. Follow them: hippo tail finish${rest === '' ? '' : `.${rest}`}`
    : `${out} of ${count(pulled.length, 'run')} succeeded.${rest}`;
}

/** The exit code: {@link ExitCode.notFine} while something is stuck that was not pulled out. */
export function tractorVerdict({ parts, pulled }: TractorReport): ExitCode {
  if (pulled?.some(({ result }) => result === 'timed-out' || result === 'no-client') === true)
    return ExitCode.timeout;
  const done = pulled?.filter(({ result }) => result === 'succeeded').length ?? 0;
  const stuck = parts.reduce((sum, part) => sum + part.stuck.length, 0);
  return stuck > done ? ExitCode.notFine : ExitCode.ok;
}

/** `2026-11-24 13:05 UTC` */
function minute(isoText: string): string {
  return `${isoText.slice(0, 10)} ${isoText.slice(11, 16)} UTC`;
}

import chalk from 'chalk';
import stringWidth from 'fast-string-width';
import { isoSecond } from '../core/clock.ts';
import { formatRecordRef } from '../core/record-ref.ts';
import { visible } from '../core/visible.ts';
import { shellWord } from '../core/shell.ts';
import type {
  Announced,
  Firing,
  Notice,
  Produced,
  SimulatedAlert,
  SimulatedInput,
  SimulatedModel,
  SimulatedScan,
  Waiting,
} from '../simulate/simulate.ts';
import type { IntakeReport, Rejected } from '../simulate/intake.ts';
import type { SimulationReport } from '../simulate/session.ts';
import { figure } from './messages.ts';
import { COLUMNS, wrap } from './text.ts';

type Time = (iso: string) => string;

/** Which runs would fire, when, with what; what would still wait, and for what. */
export function renderSimulation(report: SimulationReport): string {
  const time = timeIn(report.timezone);
  const { announced, scans, fired, produced, models, waiting, notices, alerts, input } = report;
  return [
    ...wrap(heading(report, time), ''),
    ...section('Would announce', announced, (event) => renderAnnounced(event, time)),
    ...section('Would skip', scans.flatMap(skipsOf), renderSkip),
    ...section('Would fire', fired, (firing) => renderFiring(firing, time)),
    ...section('Would produce', produced, (event) => renderProduced(event, time)),
    ...section('Would build', models, (model) => renderVersion(model, time)),
    ...section('Still waiting', waiting, (run) => renderWaiting(run, time)),
    ...section('Notices', notices, (notice) => renderNotice(notice, time)),
    ...section('Alerts', alerts, (alert) => renderAlert(alert, time)),
    ...section('Rejected', input.rejected, renderRejected),
    '',
    ...wrap(total(report), ''),
  ].join('\n');
}

function heading({ hippo, timezone, input, scans }: SimulationReport, time: Time): string {
  const { records, from, to } = input;
  const listings = scans.map(({ source, at, listed, error }) => {
    const failed = error === null ? '' : `, not to its end: ${visible(error)}`;
    return `${count(listed, 'landing')} of ${source} at ${time(at)}${failed}`;
  });
  const span = from === null || to === null ? '' : `, ${time(from)} to ${time(to)}`;
  const recorded = records === 0 && listings.length > 0 ? [] : [`${count(records, 'record')}${span}`];
  const zone = span === '' && listings.length === 0 ? '' : ` (${timezone})`;
  return `${hippo} with ${[...recorded, ...listings].join('; ')}${zone}`;
}

/** `  2017-04-28 12:01:00 ▸ orders shop.orders dt=2017-04-28  exec_date 2017-04-28T12:00:00Z, landed again` */
function renderAnnounced(event: Announced, time: Time): string[] {
  const { at, source, table, partition, exec_date: date, found_at: foundAt, relanded } = event;
  const notes = [
    `exec_date ${isoSecond(date)}`,
    ...(relanded ? ['landed again'] : []),
    ...(foundAt === at ? [] : [`found ${time(foundAt)}, settled`]),
  ];
  const name = visible(`${table} ${partition}`.trim());
  return wrap(`${source} ${name}: ${notes.join(', ')}`, `  ${time(at)} ${chalk.blue('▸')} `, '      ');
}

/** `  2017-04-29 06:00:00 ▲ absent: nothing has landed for load 2017-04-28 …; over 2017-04-29 07:10:00: load 2017-04-28 has succeeded` */
function renderAlert(alert: SimulatedAlert, time: Time): string[] {
  const { condition, raised_at: raised, resolved_at: resolved, text, over } = alert;
  const end = resolved === null ? 'still open' : `over ${time(resolved)}: ${over ?? ''}`;
  return wrap(visible(`${condition}: ${text}; ${end}`), `  ${time(raised)} ${chalk.red('▲')} `, '      ');
}

/** `  2017-04-28 12:01:00 ▸ load 2017-04-28: dm.sales yyyymmdd=20170428` */
function renderProduced({ at, job, run_key: key, table, partition }: Produced, time: Time): string[] {
  const what =
    partition === null ? `${table}, whose partition the job's result tells` : `${table} ${partition}`;
  return wrap(visible(`${job} ${key}: ${what}`.trimEnd()), `  ${time(at)} ${chalk.blue('▸')} `, '      ');
}

/** `  2017-04-28 12:01:00 ◆ iris 20170428T120000Z-d2680d: not promoted, accuracy 0.91, serving 0.97` */
function renderVersion(
  { at, model, version, promoted, metrics, serving, by }: SimulatedModel,
  time: Time,
): string[] {
  const others = promoted ? {} : (serving?.metrics ?? {});
  const figures = Object.entries(metrics).map(([metric, value]) => {
    const other = others[metric];
    return `${metric} ${figure(value)}${other === undefined ? '' : `, serving ${figure(other)}`}`;
  });
  const what = by === null ? (promoted ? 'promoted' : 'not promoted') : `serves again, asked for by ${by}`;
  const text = `${model} ${version}: ${[what, ...figures].join(', ')}`;
  return wrap(visible(text), `  ${time(at)} ${chalk.magenta('◆')} `, '      ');
}

/** So many paths are printed; `--json` has all. */
const SKIPS_SHOWN = 20;

function skipsOf({ source, skipped }: SimulatedScan): { source: string; text: string }[] {
  const shown = skipped.slice(0, SKIPS_SHOWN).map(({ path, reason, unfinished }) => ({
    source,
    text: `${path}: ${reason}${unfinished ? ', it may land later' : ''}`,
  }));
  const more = skipped.length - shown.length;
  return more > 0 ? [...shown, { source, text: `${more} more; --json lists them` }] : shown;
}

function renderSkip({ source, text }: { source: string; text: string }): string[] {
  return wrap(visible(text), `  - ${source} `, '      ');
}

function section<Item>(title: string, items: readonly Item[], render: (item: Item) => string[]): string[] {
  if (items.length === 0) return [];
  return ['', chalk.bold(`${title} (${items.length})`), ...items.flatMap(render)];
}

function renderFiring(firing: Firing, time: Time): string[] {
  const { at, job, run_key: key, attempt, manual, inputs, argv, outcome, ended_at: endedAt } = firing;
  const again = attempt === 1 ? '' : `, attempt ${attempt}`;
  const end = endedAt === at && outcome === 'succeeded' ? '' : chalk.dim(`, ${outcome} ${time(endedAt)}`);
  return [
    `  ${time(at)} ${chalk.cyan('▶')} ${chalk.bold(job)} ${chalk.cyan(visible(key))}${again}${end}`,
    ...inputs.flatMap(renderInput),
    ...(manual === null ? [] : wrap(visible(askedFor(manual)), `      ${chalk.magenta('!')} `)),
    ...commandLines(argv),
  ];
}

function askedFor({ by, reason }: NonNullable<Firing['manual']>): string {
  return `asked for by ${by ?? 'hand'}${reason === undefined ? '' : `: ${reason}`}`;
}

/** The command as a shell would read it, broken between words. */
function commandLines(argv: readonly string[]): string[] {
  const lines = [`      ${chalk.dim('$')}`];
  for (const word of argv.map((each) => visible(shellWord(each)))) {
    const line = lines.at(-1) ?? '';
    const isFirst = lines.length === 1 && stringWidth(line) === 7;
    if (!isFirst && stringWidth(line) + 1 + stringWidth(word) > COLUMNS - 2) {
      lines[lines.length - 1] = `${line} \\`;
      lines.push(`          ${word}`);
    } else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

function renderWaiting(
  { job, run_key: key, since, has, missing, paused, not_before: start }: Waiting,
  time: Time,
): string[] {
  const ready = paused
    ? [`      ${chalk.dim('·')} ready; its job is paused`]
    : start === null
      ? []
      : [`      ${chalk.dim('·')} ready for its next attempt at ${time(start)}`];
  return [
    `  ${chalk.yellow('…')} ${chalk.bold(job)} ${chalk.cyan(visible(key))} ${chalk.dim(`since ${time(since)}`)}`,
    ...has.flatMap(renderInput),
    ...(missing.length === 0 ? ready : missing.flatMap(renderMissing)),
  ];
}

/** `      ✓ btd.party yyyymm=201704 (frontier-adw 0:12)` */
function renderInput({ need, topic, partition, offset, values }: SimulatedInput): string[] {
  const levels = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const where =
    partition === null || offset === null ? 'simulated' : formatRecordRef({ topic, partition, offset });
  const what = visible([need, ...(levels.length === 0 ? [] : [levels.join('/')])].join(' '));
  return wrap(`${what} (${where})`, `      ${chalk.green('✓')} `);
}

/** `      ✗ other/daily 2017-04-28`, `      ✗ 1 of a.us day=20170428, a.eu day=20170428` */
function renderMissing({ atLeast, needs }: Waiting['missing'][number]): string[] {
  const names = needs
    .map(({ need, expected }) => visible(expected === '' ? need : `${need} ${expected}`))
    .join(', ');
  return wrap(needs.length === atLeast ? names : `${atLeast} of ${names}`, `      ${chalk.red('✗')} `);
}

function renderNotice({ at, level, job, run_key: key, text }: Notice, time: Time): string[] {
  const mark = level === 'error' ? chalk.red('✗') : level === 'warning' ? chalk.yellow('!') : chalk.dim('·');
  const run = job === null || text.startsWith(`${job} `) ? '' : `${job} ${key ?? ''} `;
  return wrap(visible(`${run}${text}`), `  ${time(at)} ${mark} `, '      ');
}

function renderRejected({ reason, field, count: times, first }: Rejected): string[] {
  const what = field === null ? reason : `${field} ${reason}`;
  return wrap(`${times} × ${visible(what)}, first ${formatRecordRef(first)}`, '  ');
}

function total({
  hippo,
  announced,
  scans,
  fired,
  produced,
  waiting,
  needs,
  input,
}: SimulationReport): string {
  const published = announced.length + produced.length;
  const events =
    scans.length + produced.length === 0 ? '' : `${count(published, 'event')} would be published. `;
  if (scans.length > 0 && needs.length === 0) return events.trimEnd();
  const still = waiting.length === 0 ? '' : ` ${count(waiting.length, 'run')} would wait.`;
  if (fired.length > 0)
    return `${events}${count(new Set(fired.map(({ job_id: id }) => id)).size, 'run')} would fire.${still}`;
  const why = waiting.length === 0 && scans.length === 0 ? nothing(hippo, needs, input) : '';
  return `${events}Nothing would fire.${still}${why}`;
}

/** Why nothing at all happens. */
function nothing(
  hippo: string,
  needs: readonly string[],
  { elsewhere, unneeded, records }: IntakeReport,
): string {
  if (records === 0) return ' There are no records.';
  const others = Object.entries(unneeded)
    .slice(0, 5)
    .map(([name, times]) => `${name} (${times})`);
  const topics = Object.entries(elsewhere)
    .slice(0, 5)
    .map(([name, times]) => `${name} (${times})`);
  return [
    ` The jobs of ${hippo} need ${needs.join(', ')}.`,
    others.length === 0 ? '' : ` The records tell of ${others.map(visible).join(', ')}.`,
    topics.length === 0 ? '' : ` Not read by its client: ${topics.map(visible).join(', ')}.`,
  ].join('');
}

function timeIn(timezone: string): Time {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (iso) => format.format(new Date(iso));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

import chalk from 'chalk';
import { isoSecond } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { visible } from '../core/visible.ts';
import { ExitCode } from '../core/errors.ts';
import type { LastScan, SourceList, SourceReport } from '../landings/list.ts';
import type { PlannedEvent, ScanPreview, ScanResult } from '../landings/scan.ts';
import { count, number, tilde, wrap } from './text.ts';

/** So many events and paths are printed; `--json` has all. */
const SHOWN = 20;

/** @param now epoch milliseconds */
export function renderSources({ hippo, clients, sources }: SourceList, now: number): string {
  const lines = sources.flatMap((source) => [...sourceLines(source, now), '']);
  if (sources.length === 0) return 'hippo.yaml has no sources: add one under sources:';
  if (clients === 0)
    lines.push(
      ...wrap(`no client of ${hippo} runs, so no source is scanned`, `${chalk.yellow('!')} `),
      '  → hippo run',
    );
  return lines.join('\n').trimEnd();
}

/** Failed scans, and sources that are not scanned, are not fine. A pause is somebody's wish. */
export function sourcesVerdict({ clients, sources }: SourceList): ExitCode {
  const isFailing = sources.some(({ last_scan: scan }) => scan !== null && scan.error !== null);
  return clients === 0 || isFailing ? ExitCode.notFine : ExitCode.ok;
}

export function renderScan(result: ScanResult | ScanPreview): string {
  return 'scan' in result ? renderResult(result) : renderPreview(result);
}

export function scanVerdict(result: ScanResult | ScanPreview): ExitCode {
  if (!('scan' in result) && result.is_away) return ExitCode.unreachable;
  const error = 'scan' in result ? result.scan.error : result.error;
  return error === null ? ExitCode.ok : ExitCode.notFine;
}

function sourceLines(source: SourceReport, now: number): string[] {
  const { name, table, place, known, watermark, last_scan: scan, paused } = source;
  return [
    ...wrap(`${table} from ${visible(tilde(place))}`, `${markOf(source)} ${chalk.bold(name)}  `, '    '),
    ...(paused === null ? [] : wrap(pausedText(paused), '  paused ')),
    ...(scan !== null ? scanLines(scan, now) : [source.scanned ? '  not scanned yet' : '  takes reports']),
    ...(watermark === null ? [] : wrap(`read up to ${visible(watermark.at)}`, '  ')),
    ...(known === 0 ? [] : [`  ${count(known, 'landing')} known`]),
  ];
}

function markOf({ scanned, last_scan: scan, paused }: SourceReport): string {
  if (paused !== null) return chalk.yellow('‖');
  if (!scanned) return chalk.green('✓');
  if (scan === null) return '·';
  return scan.error === null ? chalk.green('✓') : chalk.red('✗');
}

function pausedText({ by, reason, at }: NonNullable<SourceReport['paused']>): string {
  const who = by === null ? '' : `by ${visible(by)} `;
  const why = reason === null ? '' : `: ${visible(reason)}`;
  return `${who}since ${at ?? '?'}${why}`;
}

function scanLines(scan: LastScan, now: number): string[] {
  const ago = scan.at === null ? '' : `${formatDuration(Math.max(0, now - Date.parse(scan.at)))} ago, `;
  return [
    ...(scan.error === null ? [] : wrap(visible(scan.error), '  ')),
    `  last scan ${ago}in ${formatDuration(scan.took_ms)}: ${factsOf(scan)}`,
    ...skipLines(scan.skips, scan.skipped),
  ];
}

function factsOf({ listed, announced, skipped }: LastScan): string {
  return `${number(listed)} listed, ${number(announced)} announced, ${number(skipped)} skipped`;
}

function skipLines(skips: readonly { path: string; reason: string }[], total: number): string[] {
  const lines = skips
    .slice(0, SHOWN)
    .flatMap(({ path, reason }) => wrap(`${visible(tilde(path))}: ${visible(reason)}`, '  - '));
  const more = total - Math.min(SHOWN, skips.length);
  return more > 0 ? [...lines, `  - and ${number(more)} more`] : lines;
}

/** The first ones, and how many more there are. */
function some<Item>(items: readonly Item[], line: (item: Item) => string): string[] {
  const lines = items.slice(0, SHOWN).map((item) => `  ${line(item)}`);
  const more = items.length - lines.length;
  return more > 0 ? [...lines, `  and ${number(more)} more`] : lines;
}

function eventName({ table, partition }: PlannedEvent): string {
  return visible(`${table} ${partition}`.trim());
}

function renderResult({ source, scan }: ScanResult): string {
  const mark = scan.error === null ? chalk.green('✓') : chalk.red('✗');
  return [
    `${mark} ${source}: ${factsOf(scan)}, in ${formatDuration(scan.took_ms)}`,
    ...(scan.error === null ? [] : wrap(visible(scan.error), '  ')),
    ...skipLines(scan.skips, scan.skipped),
  ].join('\n');
}

function renderPreview(preview: ScanPreview): string {
  const {
    source,
    would_announce: events,
    waits_to_settle: waiting,
    settle_ms: settle,
    skipped,
    error,
  } = preview;
  const unchanged = formatDuration(settle);
  const once =
    settle === 0 || events.length === 0 ? '' : `, once a client has seen no change for ${unchanged}`;
  const waits = waiting.length === 1 ? 'waits' : 'wait';
  return [
    ...(error === null ? [] : wrap(visible(error), `${chalk.red('✗')} `)),
    ...wrap(
      `would announce ${count(events.length, 'landing')}${once}; ${number(source.known)} known`,
      `${source.name}: `,
      '  ',
    ),
    ...some(events, (event) => `${eventName(event)}  ${isoSecond(event.exec_date)}`),
    ...(waiting.length === 0
      ? []
      : [`${count(waiting.length, 'landing')} ${waits} to settle (unchanged for ${unchanged}):`]),
    ...some(waiting, (event) => `${eventName(event)}  not before ${event.settles_at}`),
    ...(skipped.length === 0 ? [] : [`skips ${count(skipped.length, 'path')}:`]),
    ...skipLines(skipped, skipped.length),
  ].join('\n');
}

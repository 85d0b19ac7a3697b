import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { visible } from '../core/visible.ts';
import { ExitCode } from '../core/errors.ts';
import type { LastScan, SourceList, SourceReport } from '../landings/list.ts';
import type { ScanPreview, ScanResult } from '../landings/scan.ts';
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

/** Failed scans, and sources that nobody scans, are not fine. A pause is somebody's wish. */
export function sourcesVerdict({ clients, sources }: SourceList): ExitCode {
  const isFailing = sources.some(({ last_scan: scan }) => scan !== null && scan.error !== null);
  return clients === 0 || isFailing ? ExitCode.notFine : ExitCode.ok;
}

export function renderScan(result: ScanResult | ScanPreview): string {
  return 'scan' in result ? renderResult(result) : renderPreview(result);
}

export function scanVerdict(result: ScanResult | ScanPreview): ExitCode {
  const error = 'scan' in result ? result.scan.error : result.error;
  return error === null ? ExitCode.ok : ExitCode.notFine;
}

function sourceLines(source: SourceReport, now: number): string[] {
  const { name, table, place, known, last_scan: scan, paused } = source;
  return [
    `${markOf(source)} ${chalk.bold(name)}  ${table} from ${visible(tilde(place))}`,
    ...(paused === null ? [] : wrap(pausedText(paused), '  paused ')),
    ...(scan === null ? ['  not scanned yet'] : scanLines(scan, now)),
    ...(known === 0 ? [] : [`  ${count(known, 'landing')} known`]),
  ];
}

function markOf({ last_scan: scan, paused }: SourceReport): string {
  if (paused !== null) return chalk.yellow('‖');
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

function renderResult({ source, scan }: ScanResult): string {
  const mark = scan.error === null ? chalk.green('✓') : chalk.red('✗');
  return [
    `${mark} ${source}: ${factsOf(scan)}, in ${formatDuration(scan.took_ms)}`,
    ...(scan.error === null ? [] : wrap(visible(scan.error), '  ')),
    ...skipLines(scan.skips, scan.skipped),
  ].join('\n');
}

function renderPreview({ source, would_announce: events, skipped, error }: ScanPreview): string {
  const lines = events
    .slice(0, SHOWN)
    .map(
      ({ table, partition, exec_date: date }) =>
        `  ${visible(`${table} ${partition}`.trim())}  ${new Date(date * 1000).toISOString()}`,
    );
  return [
    ...(error === null ? [] : wrap(visible(error), `${chalk.red('✗')} `)),
    `${source.name}: would announce ${count(events.length, 'landing')}; ${number(source.known)} known`,
    ...lines,
    ...(events.length > SHOWN ? [`  and ${number(events.length - SHOWN)} more`] : []),
    ...(skipped.length === 0 ? [] : [`skips ${count(skipped.length, 'path')}:`]),
    ...skipLines(skipped, skipped.length),
  ].join('\n');
}

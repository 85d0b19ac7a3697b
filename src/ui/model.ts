import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { ExitCode } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { visible } from '../core/visible.ts';
import type { BuildReport, BuildRun, SentBuild } from '../model/build.ts';
import type { ModelList } from '../model/list.ts';
import type { PromoteReport } from '../model/promote.ts';
import type { InstanceReport, ModelReport, VersionReport } from '../model/watch.ts';
import { figure, runName, valueText } from './messages.ts';
import { count, cut, table, wrap } from './text.ts';

/** @param now epoch milliseconds */
export function renderModels({ hippo, models }: ModelList, now: number): string {
  if (models.length === 0) return hippo === null ? 'no hippo has a model' : `${hippo} has no model`;
  return models.map((model) => renderModel(model, now)).join('\n\n');
}

/** What serves and since when, the versions with their metrics side by side, and which services serve which. */
export function renderModel(report: ModelReport, now: number): string {
  const { hippo, model, versions, retired, instances, previous } = report;
  const name = chalk.bold(visible(`${hippo}/${model}`));
  return [
    `${name}  ${headline(report, now)}`,
    ...(versions.length === 0 ? [] : ['', ...versionTable(versions, previous)]),
    ...(retired.length === 0
      ? []
      : [chalk.dim(`  ${count(retired.length, 'retired version')}: the next build removes their folders`)]),
    ...(instances.length === 0 ? [] : ['', ...instances.map((each) => instanceLine(each, report.serving))]),
  ].join('\n');
}

function headline({ serving, since, by, reason, versions }: ModelReport, now: number): string {
  if (serving === null) return versions.length === 0 ? 'no version yet' : 'no version serves';
  const ago = since === null ? '' : ` for ${formatDuration(Math.max(0, now - Date.parse(since)))}`;
  const who = by === null ? '' : `, by ${visible(by)}${reason === null ? '' : `: ${visible(reason)}`}`;
  return `${chalk.green(visible(serving))} serves${ago}${who}`;
}

/** More metrics would not fit beside a version. */
const MOST_METRICS = 3;

function versionTable(versions: readonly VersionReport[], previous: string | null): string[] {
  const metrics = [...new Set(versions.flatMap((version) => Object.keys(version.metrics)))].slice(
    0,
    MOST_METRICS,
  );
  const rows = versions.map((version) => [
    version.serving ? chalk.green('●') : ' ',
    visible(version.version),
    ...metrics.map((metric) => {
      const value = version.metrics[metric];
      return value === undefined ? '-' : figure(value);
    }),
    version.rows ?? '-',
    noteOf(version, previous),
  ]);
  const head = [' ', 'version', ...metrics.map(visible), 'rows', ''];
  const right = [...metrics, 'rows'].map((_, index) => index + 2);
  return table([head, ...rows], right).map((line) => cut(`  ${line}`));
}

function noteOf({ serving, promoted, version }: VersionReport, previous: string | null): string {
  if (serving) return 'serves';
  if (version === previous) return 'served before';
  return promoted ? '' : 'not promoted';
}

function instanceLine(
  { service, host, pid, role, status, version }: InstanceReport,
  serving: string | null,
): string {
  const mark = version !== null && version === serving ? chalk.green('✓') : chalk.yellow('·');
  const what = version === null ? `no version (${visible(status)})` : visible(version);
  const where = [host, `pid ${pid}`, ...(role === null ? [] : [role])].map(visible).join(', ');
  return cut(`  ${mark} ${visible(service)} ${what} ${chalk.dim(`(${where})`)}`);
}

/** `✓ Asked: BUILD_MODEL flowers/iris (ann@desk: new labels)` */
export function renderSent({ hippo, model, params, by, reason, record, clients }: SentBuild): string {
  const set = Object.entries(params).map(([name, value]) => ` ${visible(`${name}=${valueText(value)}`)}`);
  return [
    `${chalk.green('✓')} Asked: BUILD_MODEL ${visible(`${hippo}/${model}`)}${set.join('')} ${chalk.dim(askedBy(by, reason))}`,
    `  topic ${record.topic}, partition ${record.partition}, offset ${record.offset}`,
    ...noClient(hippo, clients),
  ].join('\n');
}

function askedBy(by: string, reason: string | null): string {
  return `(${visible(by)}${reason === null ? '' : `: ${visible(reason)}`})`;
}

function noClient(hippo: string, clients: number): string[] {
  if (clients > 0) return [];
  return wrap(
    `No client of ${hippo} is running: the message stays in its topic until one starts.`,
    `${chalk.yellow('!')} `,
  );
}

export function renderBuildRun(hippo: string, { job, run_key: key }: BuildRun): string {
  return `${chalk.yellow('▶')} ${runName(hippo, job, key)} started`;
}

/** Empty where it was not waited for. */
export function renderBuilt(report: BuildReport): string {
  const { hippo, model, outcome, run, version, serving } = report;
  const name = visible(`${hippo}/${model}`);
  switch (outcome) {
    case null:
      return '';
    case 'promoted':
      return [
        `${chalk.green('✓')} ${name} ${version?.version ?? ''} ${chalk.green('promoted')}`,
        ...wrap(visible(version?.why ?? ''), '  '),
      ].join('\n');
    case 'not-promoted':
      return [
        `${chalk.yellow('!')} ${name} ${version?.version ?? ''} ${chalk.yellow('not promoted')}`,
        ...wrap(visible(version?.why ?? ''), '  '),
        ...(serving === null ? [] : [`  ${serving.version} goes on serving`]),
        `  ${chalk.cyan('→')} hippo model promote ${shellWord(`${hippo}/${model}`)} ${version?.version ?? 'VERSION'}    (to serve it anyway)`,
      ].join('\n');
    case 'failed':
      return [
        `${chalk.red('✗')} ${name} was not built: ${run === null ? 'its run is gone' : `${run.job} ${visible(run.run_key)} ${run.status}`}`,
        ...(run?.error === null || run === null ? [] : wrap(visible(run.error), '  ')),
        `  ${chalk.cyan('→')} hippo tail finish --last 5`,
      ].join('\n');
    case 'refused':
      return [
        ...wrap(
          `${hippo} has read the message, and started nothing. The reason is in the log of its client, which hippo run prints.`,
          `${chalk.red('✗')} `,
        ),
        `  ${chalk.cyan('→')} hippo model show ${shellWord(`${hippo}/${model}`)}`,
      ].join('\n');
    case 'timed-out':
      return [
        ...wrap(
          run === null
            ? `Timed out: ${hippo} has not started a build.`
            : `Timed out: ${run.job} ${run.run_key} is ${run.status}.`,
          `${chalk.red('✗')} `,
        ),
        `  ${chalk.cyan('→')} hippo tail model finish --last 5`,
      ].join('\n');
  }
}

const BUILD_CODES = {
  promoted: ExitCode.ok,
  'not-promoted': ExitCode.ok,
  failed: ExitCode.notFine,
  refused: ExitCode.notFine,
  'timed-out': ExitCode.timeout,
} as const;

export function buildVerdict({ outcome }: BuildReport): ExitCode {
  return outcome === null ? ExitCode.ok : BUILD_CODES[outcome];
}

export function renderPromoted(report: PromoteReport): string {
  const { hippo, model, version, before, by, reason, clients, outcome, serving, instances } = report;
  const name = visible(`${hippo}/${model}`);
  if (outcome === 'moved')
    return [
      `${chalk.green('✓')} ${name} serves ${chalk.green(visible(version))} ${chalk.dim(askedBy(by, reason))}`,
      ...(before === null ? [] : [`  before: ${visible(before)}`]),
      ...(instances.length === 0
        ? ['  no service of it is known to run']
        : instances.map((each) => instanceLine(each, version))),
    ].join('\n');
  const why =
    outcome === 'refused'
      ? `${hippo} has read the message and did not promote ${version}: ${serving ?? 'no version'} serves. The reason is in the log of its client.`
      : clients === 0
        ? `No client of ${hippo} is running: the message stays in its topic until one starts.`
        : `Timed out: ${hippo} has not read the message yet; it stays in its topic.`;
  return [
    ...wrap(visible(why), `${chalk.red('✗')} `),
    `  ${chalk.cyan('→')} ${clients === 0 ? "hippo run    (in the hippo's project)" : `hippo model show ${shellWord(`${hippo}/${model}`)}`}`,
  ].join('\n');
}

/** A service that has not loaded the version yet does so by itself. */
export function promoteVerdict({ outcome }: PromoteReport): ExitCode {
  if (outcome === 'moved') return ExitCode.ok;
  return outcome === 'refused' ? ExitCode.notFine : ExitCode.timeout;
}

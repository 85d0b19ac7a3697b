import chalk from 'chalk';
import { formatDuration, formatSeconds } from '../core/duration.ts';
import type { Json } from '../core/json.ts';
import { visible } from '../core/visible.ts';
import { isBuildModel, isKillModel, isNewModel, isPromoteModel, partitionPath } from '../messages/index.ts';
import type {
  Alert,
  FrontierEvent,
  HippoMessage,
  JobFinish,
  JobStart,
  ManualRequest,
  Metrics,
  ModelMessage,
  NewModel,
  ServiceHealth,
} from '../messages/types.ts';

/** A hippo message in one line, the essential in colour; without its time and place. */
export function describeMessage(message: HippoMessage): string {
  switch (message.kind) {
    case 'frontier':
      return describeFrontier(message);
    case 'start':
      return describeStart(message);
    case 'finish':
      return describeFinish(message);
    case 'schedule':
      return describeRequest(message);
    case 'health':
      return describeHealth(message);
    case 'alert':
      return describeAlert(message);
    case 'model':
      return describeModel(message);
  }
}

/** `▸ btd.party yyyymm=201704 (overwrite_partition)` */
function describeFrontier({ db, table, partitions, method }: FrontierEvent): string {
  const landed = partitions.map(partitionPath).filter((text) => text !== '');
  const where = landed.length === 0 ? chalk.dim('unpartitioned') : chalk.cyan(landed.map(visible).join(', '));
  const how = method === '' ? '' : ` ${chalk.dim(`(${visible(method)})`)}`;
  return `${chalk.blue('▸')} ${chalk.bold(visible(`${db}.${table}`))} ${where}${how}`;
}

/** `▶ etl/load 201704 started` */
function describeStart({ hippoName, jobName, runKey }: JobStart): string {
  return `${chalk.yellow('▶')} ${runName(hippoName, jobName, runKey)} started`;
}

/** `✓ etl/load 201704 succeeded in 12 s`, `✗ etl/load 201704 failed after 3 s: exit code 3` */
function describeFinish({
  hippoName,
  jobName,
  runKey,
  isSuccess,
  durationTime,
  errorMsg,
}: JobFinish): string {
  const took = formatSeconds(durationTime);
  const name = runName(hippoName, jobName, runKey);
  if (isSuccess) return `${chalk.green('✓')} ${name} ${chalk.green('succeeded')} in ${took}`;
  const why = errorMsg === undefined || errorMsg === '' ? '' : `: ${visible(firstLine(errorMsg))}`;
  return `${chalk.red('✗')} ${name} ${chalk.red('failed')} after ${took}${why}`;
}

/** `! run etl/load 201704 asked for by anna: late source` */
function describeRequest({ hippoName, jobName, runKey, action, by, reason }: ManualRequest): string {
  const asked = askedBy({ by, reason });
  return `${chalk.magenta('!')} ${chalk.magenta(action)} ${runName(hippoName, jobName, runKey)} asked for${asked}`;
}

/** `♥ etl well (pid 4711 on 10.0.0.7, every 30 s)` */
function describeHealth({
  serviceName,
  isSuccess,
  errorMsg,
  servicePid,
  clientIp,
  interval,
}: ServiceHealth): string {
  const where = chalk.dim(`(pid ${servicePid} on ${visible(clientIp)}, every ${formatDuration(interval)})`);
  const name = chalk.bold(visible(serviceName));
  if (isSuccess === 1) return `${chalk.green('♥')} ${name} well ${where}`;
  const why = errorMsg === '' ? '' : `: ${visible(firstLine(errorMsg))}`;
  return `${chalk.red('✗')} ${name} ${chalk.red('ill')}${why} ${where}`;
}

/** `▲ alert failed of etl: load 201704 has failed: exit code 3`, `✓ alert failed of etl, over after 2 h: load 201704 has succeeded` */
function describeAlert({ state, condition, hippoName, since, time, text }: Alert): string {
  const name = chalk.bold(visible(hippoName));
  const said = visible(firstLine(text));
  if (state === 'firing') return `${chalk.red('▲')} alert ${chalk.red(condition)} of ${name}: ${said}`;
  const after = formatSeconds(Math.max(0, time - since));
  return `${chalk.green('✓')} alert ${condition} of ${name}, ${chalk.green('over')} after ${after}: ${said}`;
}

/**
 * `◆ BUILD_MODEL iris reg_param=0.1 by ann: new labels`, `◆ NEW_MODEL iris promoted 20261128T234539Z-d2680d accuracy 0.97`,
 * `◆ NEW_MODEL iris not promoted: accuracy 0.91, serving 0.97 (20261128T234539Z-d2680d)`, `■ KILL iris api by ann: leaks`
 */
function describeModel(message: ModelMessage): string {
  const { message: said, model } = message;
  const about = model === undefined ? '' : ` ${chalk.cyan(visible(model))}`;
  const mark = isKillModel(message) ? chalk.red('■') : chalk.magenta('◆');
  return `${mark} ${chalk.bold(visible(said))}${about}${modelDetails(message)}`;
}

function modelDetails(message: ModelMessage): string {
  if (isNewModel(message)) return ` ${newModel(message)}`;
  if (isBuildModel(message)) {
    const params = Object.entries(message.params ?? {}).map(
      ([param, value]) => ` ${visible(`${param}=${valueText(value)}`)}`,
    );
    return `${params.join('')}${askedBy(message)}`;
  }
  if (isPromoteModel(message)) return ` ${visible(message.version)}${askedBy(message)}`;
  if (!isKillModel(message)) return '';
  return `${message.target === undefined ? '' : ` ${message.target}`}${askedBy(message)}`;
}

/** The figures come before what a narrow terminal may cut. */
function newModel({ version, promoted, metrics, serving }: NewModel): string {
  if (promoted) return [chalk.green('promoted'), visible(version), ...figures(metrics)].join(' ');
  const [figure] = figures(metrics, serving?.metrics);
  const why = figure === undefined ? '' : `: ${figure}`;
  return `${chalk.yellow('not promoted')}${why} ${chalk.dim(`(${visible(version)})`)}`;
}

/** `accuracy 0.91`, or of a metric that the serving version has, too, `accuracy 0.91, serving 0.97` */
function figures(metrics: Metrics, serving: Metrics = {}): string[] {
  return Object.entries(metrics).map(([metric, value]) => {
    const other = serving[metric];
    const against = other === undefined ? '' : `, serving ${figure(other)}`;
    return `${visible(metric)} ${figure(value)}${against}`;
  });
}

/** The value of a parameter. */
export function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A metric to four digits: `0.9667`. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function askedBy({ by, reason }: { by?: string | undefined; reason?: string | undefined }): string {
  const who = by === undefined || by === '' ? '' : ` by ${visible(by)}`;
  const why = reason === undefined || reason === '' ? '' : `: ${visible(firstLine(reason))}`;
  return `${who}${why}`;
}

/** `etl/load 201704` */
export function runName(hippo: string, job: string, key: string | undefined): string {
  return `${chalk.bold(visible(`${hippo}/${job}`))}${key === undefined ? '' : ` ${chalk.cyan(visible(key))}`}`;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

import chalk from 'chalk';
import { formatDuration, formatSeconds } from '../core/duration.ts';
import { visible } from '../core/visible.ts';
import { partitionPath } from '../messages/index.ts';
import type {
  Alert,
  FrontierEvent,
  HippoMessage,
  JobFinish,
  JobStart,
  ManualRequest,
  ModelMessage,
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
  const who = by === undefined || by === '' ? '' : ` by ${visible(by)}`;
  const why = reason === undefined || reason === '' ? '' : `: ${visible(firstLine(reason))}`;
  return `${chalk.magenta('!')} ${chalk.magenta(action)} ${runName(hippoName, jobName, runKey)} asked for${who}${why}`;
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

/** `◆ BUILD_MODEL iris` */
function describeModel({ message, model }: ModelMessage): string {
  const about = model === undefined ? '' : ` ${chalk.cyan(visible(model))}`;
  return `${chalk.magenta('◆')} ${chalk.bold(visible(message))}${about}`;
}

/** `etl/load 201704` */
export function runName(hippo: string, job: string, key: string | undefined): string {
  return `${chalk.bold(visible(`${hippo}/${job}`))}${key === undefined ? '' : ` ${chalk.cyan(visible(key))}`}`;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

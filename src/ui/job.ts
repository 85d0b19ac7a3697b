import chalk from 'chalk';
import { ExitCode } from '../core/errors.ts';
import { visible } from '../core/visible.ts';
import { shellWord } from '../core/shell.ts';
import type { AskedRequest, JobReport } from '../job/ask.ts';
import { durationFlag } from './flags.ts';
import { runName } from './messages.ts';
import { Args, Flags } from './oclif.ts';
import { wrap } from './text.ts';
import { renderWait, waitVerdict } from './trigger.ts';

export const jobArgs = {
  job: Args.string({
    description: "The job: JOB of this project's hippo, or HIPPO/JOB.",
    required: true,
  }),
};

/** Of the commands that sources and services have, too. */
export const pausableArgs = {
  job: Args.string({
    description: "The job, source or service: its NAME in this project's hippo, or HIPPO/NAME.",
    required: true,
  }),
};

/** What every request has. */
export const requestFlags = {
  reason: Flags.string({
    description: 'The reason, kept with the run and in its finish message.',
    helpValue: 'TEXT',
  }),
  by: Flags.string({ description: 'The operator. [default: user@host]', helpValue: 'WHO' }),
  'dry-run': Flags.boolean({ description: 'Print the request and its partition; send nothing.' }),
};

/** @param usual which run without it */
export const keyFlag = (usual = 'the present window') => ({
  key: Flags.string({
    char: 'k',
    helpValue: 'KEY',
    description: `The run key: 2017-04-28, 201704, 2017-04-28T05, or the partition. [default: ${usual}]`,
  }),
});

export const waitFlags = {
  wait: Flags.boolean({ char: 'w', description: 'Wait until every run that the request causes has ended.' }),
  timeout: durationFlag({ description: 'Wait at most this long.', default: '30m' }),
};

/** `✓ Asked: run etl/load 201704 (ann@desk: disk was full)`, where it is, and what stands in its way. */
export function renderAsked(asked: AskedRequest): string {
  const { topic, partition, offset, key, value } = asked.record;
  return [
    `${asked.dry_run ? 'Would ask' : `${chalk.green('✓')} Asked`}: ${describe(asked)}`,
    `  topic ${topic}, partition ${partition}, ${offset === null ? `key ${key}` : `offset ${offset}`}`,
    ...(asked.dry_run ? [`  ${value}`] : []),
    ...obstacles(asked),
  ].join('\n');
}

function describe({ action, hippo, job, run_key: key, by, reason }: AskedRequest): string {
  const why = reason === null ? '' : `: ${visible(reason)}`;
  return `${action.replace('_', '-')} ${runName(hippo, job, key ?? undefined)} ${chalk.dim(`(${visible(by)}${why})`)}`;
}

function obstacles({ action, hippo, job, clients, similar }: AskedRequest): string[] {
  const target = shellWord(`${hippo}/${job}`);
  const undo = action === 'pause' ? [`  ${chalk.cyan('→')} hippo job resume ${target}`] : [];
  if (clients > 0) return undo;
  const near = similar.length === 0 ? '' : ` Did you mean ${similar.join(' or ')}?`;
  return [
    ...wrap(
      `No client of ${hippo} is running: the request stays in its topic until one starts.${near}`,
      `${chalk.yellow('!')} `,
    ),
    ...undo,
  ];
}

/** The plan, or what came of it; empty where nothing was waited for. */
export function renderJob(report: JobReport): string {
  const { dry_run: dryRun, hippo, wait } = report;
  if (dryRun) return renderAsked(report);
  if (wait === null) return '';
  if (wait.outcome === 'interrupted')
    return `${chalk.yellow('!')} Interrupted: the request stands, and is not waited for any longer.`;
  if (wait.outcome !== 'no-reaction') return renderWait(wait).join('\n');
  const [what, next] = wait.live.includes(hippo)
    ? [
        `${hippo} has read the request, and started nothing. The reason is in the log of its client, which hippo run prints.`,
        'hippo tail start finish --last 10 -e    (runs that run already or have ended)',
      ]
    : [
        `No client of ${hippo} is running: the request was not taken.`,
        "hippo run    (in the hippo's project)",
      ];
  return [...wrap(what, `${chalk.red('✗')} `), `  ${chalk.cyan('→')} ${next}`].join('\n');
}

/** As `trigger --wait`; a request that the hippo has read and refused is not fine. */
export function jobVerdict({ hippo, wait }: JobReport): ExitCode {
  const isRefused = wait?.outcome === 'no-reaction' && wait.live.includes(hippo);
  return isRefused ? ExitCode.notFine : waitVerdict(wait);
}

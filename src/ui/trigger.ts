import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { ExitCode } from '../core/errors.ts';
import type { FollowChange, FollowedRun } from '../trigger/follow.ts';
import type { PublishedEvent, TriggerReport } from '../trigger/trigger.ts';
import type { Explanation, WaitReport } from '../trigger/wait.ts';
import { runName, visible } from './messages.ts';
import { wrap } from './text.ts';

const EXIT_CODES = {
  succeeded: ExitCode.ok,
  failed: ExitCode.notFine,
  'nobody-reacted': ExitCode.timeout,
  'timed-out': ExitCode.timeout,
  interrupted: ExitCode.interrupted,
} as const;

/** The exit code of a wait; null: nothing was waited for. */
export function waitVerdict(wait: WaitReport | null): ExitCode {
  return wait === null ? ExitCode.ok : EXIT_CODES[wait.outcome];
}

/** `✓ btd.party yyyymm=201704 is at frontier-adw, partition 2, offset 17` */
export function renderPublished({ table, partition_path, topic, partition, offset }: PublishedEvent): string {
  const landed = partition_path === '' ? '' : ` ${chalk.cyan(visible(partition_path))}`;
  const event = `${chalk.green('✓')} Published ${chalk.bold(visible(table))}${landed}`;
  return `${event}\n  topic ${topic}, partition ${partition}, offset ${offset}`;
}

/** `▶ etl/load 201704 started`, `✓ etl/load 201704 succeeded in 12 s` */
export function renderChange({ type, run }: FollowChange): string {
  return type === 'started' ? `${chalk.yellow('▶')} ${name(run)} started` : renderRun(run);
}

function renderRun(run: FollowedRun): string {
  const took = run.duration === null ? '' : formatDuration(run.duration * 1000);
  if (run.outcome === 'succeeded')
    return `${chalk.green('✓')} ${name(run)} ${chalk.green('succeeded')} in ${took}`;
  const head = `${chalk.red('✗')} ${name(run)} ${chalk.red('failed')}${took === '' ? '' : ` after ${took}`}`;
  return [
    head,
    ...(run.error ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `    ${visible(line)}`),
  ].join('\n');
}

function name({ hippo, job, run_key }: FollowedRun): string {
  return runName(hippo, job, run_key ?? undefined);
}

/** Why nothing happens, and what to do about it. */
export function renderExplanation(explanation: Explanation): string {
  if (explanation.type === 'no-hippo-runs') {
    return [
      ...wrap('No hippo is running: the event stays in its topic until one starts.', `${chalk.yellow('!')} `),
      `  ${chalk.cyan('→')} ./start-client.sh   (in the hippo's project)`,
    ].join('\n');
  }
  const { hippo, job, run_key, has } = explanation.run;
  return `${chalk.yellow('!')} ${runName(hippo, job, run_key)} waits for further inputs; it has ${has.map(visible).join(', ')}`;
}

/** What came of it all, in the last lines; empty where nothing was waited for. */
export function renderOutcome({ wait, events }: TriggerReport): string {
  if (wait === null) return '';
  const { runs, pending, live } = wait;
  switch (wait.outcome) {
    case 'succeeded':
      return `${chalk.green('✓')} ${count(runs.length, 'run')} succeeded.`;
    case 'failed': {
      const failed = runs.filter(({ outcome }) => outcome === 'failed').length;
      return `${chalk.red('✗')} ${failed} of ${count(runs.length, 'run')} failed.\n  ${chalk.cyan('→')} hippo tractor`;
    }
    case 'nobody-reacted':
      return [
        `${chalk.red('✗')} Nobody reacted.`,
        ...(live.length === 0
          ? wrap('No hippo is running; the event waits in its topic until one starts.', '  ')
          : wrap(
              `${live.join(', ')} ${live.length === 1 ? 'has' : 'have'} read it, and need${live.length === 1 ? 's' : ''} nothing of it.`,
              '  ',
            )),
        `  ${chalk.cyan('→')} ${live.length === 0 ? "./start-client.sh   (in the hippo's project)" : `hippo tail start --from -1h`}`,
      ].join('\n');
    case 'timed-out':
      return [`${chalk.red('✗')} Timed out.`, ...stillToCome(wait)].join('\n');
    case 'interrupted':
      return [
        `${chalk.yellow('!')} Interrupted: ${count(events.length, 'event')} published, not waited for any longer.`,
        ...(pending.running.length > 0 ? stillToCome(wait) : []),
      ].join('\n');
  }
}

function stillToCome({ pending, live }: WaitReport): string[] {
  const lines = [
    ...pending.running.map(
      (run) =>
        `  ${chalk.yellow('▶')} ${name(run)} is still running${live.includes(run.hippo) ? '' : `, but ${run.hippo} is not`}`,
    ),
    ...pending.open
      .filter(({ status }) => status !== 'running')
      .map(({ hippo, job, run_key, status, has }) =>
        status === 'waiting'
          ? `  ${chalk.yellow('…')} ${runName(hippo, job, run_key)} waits for further inputs; it has ${has.join(', ')}`
          : `  ${chalk.yellow('…')} ${runName(hippo, job, run_key)} is ready, not yet started`,
      ),
    ...pending.undecided.map((hippo) => `  ${chalk.yellow('…')} ${hippo} has not read it yet`),
    ...(live.length === 0 ? ['  No hippo is running.'] : []),
  ];
  return [...lines, `  ${chalk.cyan('→')} hippo doctor`];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

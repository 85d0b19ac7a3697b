import { UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import type { TriggerRequest } from '../trigger/index.ts';
import { durationFlag } from './flags.ts';
import { Flags, type Interfaces } from './oclif.ts';

/** Flags that say what lands: none of them goes with --file or --resume, which bring events of their own. */
const EVENT = ['table', 'partition', 'method', 'exec-date', 'dialect'];
const TIMEOUT = '30m';

export const triggerFlags = {
  table: Flags.string({
    char: 't',
    description: 'The table that has landed, as db.table.',
    helpValue: 'DB.TABLE',
  }),
  partition: Flags.string({
    char: 'p',
    multiple: true,
    description:
      'A level of the partition; repeat the flag for each level, outermost first. With --range, its pattern.',
    helpValue: 'NAME=VALUE',
  }),
  method: Flags.string({
    helpValue: 'METHOD',
    description: 'How the partition was written: partition, overwrite_partition, overwrite, append.',
  }),
  'exec-date': Flags.string({
    description:
      'The time of the landing: a date, an ISO time, an epoch or "now". A later time for the same partition is a re-landing.',
    helpValue: 'TIME',
  }),
  dialect: Flags.string({
    helpValue: 'NAME',
    description: 'The form of the message: pairs, arrays, scalars or legacy.',
  }),
  range: Flags.string({
    char: 'r',
    description:
      'Publish an event for each partition between two dates, both included: 2017-01..2017-12. Months, days or hours.',
    helpValue: 'FROM..TO',
  }),
  backwards: Flags.boolean({
    description:
      'Publish the range newest first. Runs start in that order only if their job has order: arrival and concurrency: 1.',
    dependsOn: ['range'],
  }),
  file: Flags.string({
    char: 'f',
    description:
      'Publish the events of a file, one per line; - for standard input. It also reads the output of "hippo tail --json".',
    helpValue: 'FILE',
    exclusive: [...EVENT, 'range'],
  }),
  'from-line': Flags.integer({
    description: 'Start with this line of the file.',
    helpValue: 'N',
    min: 1,
    dependsOn: ['file'],
  }),
  'skip-bad': Flags.boolean({ description: 'Skip lines that are not events.', dependsOn: ['file'] }),
  resume: Flags.string({
    description: 'Continue a backfill that was stopped.',
    helpValue: 'ID',
    exclusive: [...EVENT, 'range', 'backwards', 'from-line'],
  }),
  'max-active': Flags.integer({
    description: 'Publish no further event while N events have runs that have not ended.',
    helpValue: 'N',
    min: 1,
  }),
  rate: Flags.string({ description: 'Publish at most at this rate: 10/s, 30/m, 4/h.', helpValue: 'N/s' }),
  'dry-run': Flags.boolean({
    description: 'Print the messages with their partitions and publish nothing.',
  }),
  wait: Flags.boolean({
    char: 'w',
    description: 'Wait until every run that the events cause has ended.',
  }),
  timeout: durationFlag({
    description: 'Wait at most this long for the outcome of an event.',
    default: TIMEOUT,
  }),
};

export type TriggerFlags = Interfaces.InferredFlags<typeof triggerFlags> & {
  config?: string | undefined;
  profile?: string | undefined;
};

/**
 * Refuses limits with a single event, which they cannot hold back.
 *
 * @throws UserError for a limit that would not do anything
 */
export function refuseWithoutMany({ range, file, resume, wait, ...flags }: TriggerFlags): void {
  if (range !== undefined || file !== undefined || resume !== undefined || wait) return;
  const limit = (['max-active', 'rate'] as const).find((name) => flags[name] !== undefined);
  if (limit === undefined) return;
  throw new UserError(`--${limit} goes only with --range, --file or --resume`, {
    why: 'Without them a single event is published.',
    next: ['hippo trigger --help'],
  });
}

/** The flags by the names that `src/trigger` gives them. */
export function triggerOptions(
  flags: TriggerFlags,
  argv: readonly string[],
): Omit<TriggerRequest, 'dryRun' | 'listener' | 'signal'> {
  const words = {
    ...flags,
    execDate: flags['exec-date'],
    fromLine: flags['from-line'],
    skipBad: flags['skip-bad'],
  };
  const { config, profile, wait, timeout, rate } = flags;
  return {
    ...{ config, profile, words, wait, timeout, rate },
    maxActive: flags['max-active'],
    repeat: repeatedFlags(argv, flags),
  };
}

/** The flags that must be given again to go on in the same way, as a person types them. */
function repeatedFlags(argv: readonly string[], flags: TriggerFlags): string[] {
  const said = (name: string): boolean =>
    argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const value = (name: string, text: string | number | undefined): string[] =>
    said(name) && text !== undefined ? [`--${name} ${shellWord(String(text))}`] : [];
  return [
    ...value('max-active', flags['max-active']),
    ...value('rate', flags.rate),
    ...(flags.wait ? ['--wait'] : []),
    ...value('timeout', `${flags.timeout / 1000}s`),
    ...value('config', flags.config),
    ...value('profile', flags.profile),
  ];
}

import { UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { durationFlag } from './flags.ts';
import { Flags, type Interfaces } from './oclif.ts';

/** Flags that say what lands: none of them goes with --file or --resume, which bring events of their own. */
const EVENT = ['table', 'partition', 'method', 'exec-date', 'dialect'];
const TIMEOUT = '30m';

export const triggerFlags = {
  table: Flags.string({ char: 't', description: 'What has landed, as db.table.', helpValue: 'DB.TABLE' }),
  partition: Flags.string({
    char: 'p',
    multiple: true,
    description: 'A level of its partition; once for each level, outermost first. With --range: its pattern.',
    helpValue: 'NAME=VALUE',
  }),
  method: Flags.string({
    helpValue: 'METHOD',
    description: 'How it was written: partition, overwrite_partition, overwrite, append.',
  }),
  'exec-date': Flags.string({
    description:
      'When it landed: a date, an ISO time, an epoch or "now". A later one of the same partition is a re-landing.',
    helpValue: 'TIME',
  }),
  dialect: Flags.string({
    helpValue: 'NAME',
    description: 'How the message is written: pairs, arrays, scalars or legacy.',
  }),
  range: Flags.string({
    char: 'r',
    description: 'All partitions between two dates, both included: 2017-01..2017-12. Months, days, hours.',
    helpValue: 'FROM..TO',
  }),
  backwards: Flags.boolean({ description: 'The range from its end to its beginning.', dependsOn: ['range'] }),
  file: Flags.string({
    char: 'f',
    description:
      'The events of a file, one a line; -: of standard input. What "hippo tail --json" prints, too.',
    helpValue: 'FILE',
    exclusive: [...EVENT, 'range'],
  }),
  'from-line': Flags.integer({
    description: 'Begin with this line of the file.',
    helpValue: 'N',
    min: 1,
    dependsOn: ['file'],
  }),
  'skip-bad': Flags.boolean({ description: 'Pass over lines that are no events.', dependsOn: ['file'] }),
  resume: Flags.string({
    description: 'Go on with a backfill that was stopped.',
    helpValue: 'ID',
    exclusive: [...EVENT, 'range', 'backwards', 'from-line'],
  }),
  'max-active': Flags.integer({
    description: 'Publish no further event while N have runs that have not ended.',
    helpValue: 'N',
    min: 1,
  }),
  rate: Flags.string({ description: 'Publish no faster than this: 10/s, 30/m, 4/h.', helpValue: 'N/s' }),
  'dry-run': Flags.boolean({
    description: 'Show the messages and where they would go, and publish nothing.',
  }),
  wait: Flags.boolean({
    char: 'w',
    description: 'Follow the events until every run that they caused has ended.',
  }),
  timeout: durationFlag({ description: 'How long the outcome of an event may take.', default: TIMEOUT }),
};

export type TriggerFlags = Interfaces.InferredFlags<typeof triggerFlags> & {
  config?: string | undefined;
  profile?: string | undefined;
};

/**
 * A single event is held back by nothing.
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

/** The flags that must be given again to go on in the same way, as a person types them. */
export function repeatedFlags(argv: readonly string[], flags: TriggerFlags): string[] {
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

import { Flags } from './oclif.ts';

export const replayFlags = {
  from: Flags.string({
    description: 'Start here: an offset, p:o, a date or time, -2h, @T1..@T2.',
    helpValue: 'POSITION',
  }),
  to: Flags.string({ description: 'End here; takes the same positions as --from.', helpValue: 'POSITION' }),
  last: Flags.integer({
    char: 'n',
    min: 0,
    description: 'Send only the last N, over all partitions.',
    helpValue: 'N',
    exclusive: ['from'],
  }),
  filter: Flags.string({
    description: 'Send only records for which this CEL expression is true; see hippo tail --help.',
    helpValue: 'EXPRESSION',
  }),
  again: Flags.boolean({
    description: 'Also send messages that were, or may have been, sent back before.',
  }),
  force: Flags.boolean({ description: 'Also send messages that have been rejected too often.' }),
  limit: Flags.integer({
    min: 1,
    default: 3,
    description: 'How often a message may be rejected before it is not sent again.',
    helpValue: 'N',
  }),
  'dry-run': Flags.boolean({
    description: 'Print each message, its target and the reason of its rejection; send nothing.',
  }),
  yes: Flags.boolean({ char: 'y', description: 'Do not ask before sending.' }),
};

import { durationFlag } from './flags.ts';
import { Flags } from './oclif.ts';

export const simulateFlags = {
  from: Flags.string({
    description: 'Start here in the topics: a date or time, -2h, p:o.',
    helpValue: 'POSITION',
  }),
  to: Flags.string({ description: 'End here; takes the same positions as --from.', helpValue: 'POSITION' }),
  listing: Flags.string({
    description:
      'A file with what hippo source scan NAME --dry-run --json printed; may be repeated. Shows what the source would announce, and when.',
    helpValue: 'FILE',
    multiple: true,
  }),
  announced: Flags.string({
    description:
      'A file with lines that a service wrote to $HIPPO_EVENTS_FILE; may be repeated. Shows what the service would announce.',
    helpValue: 'SERVICE=FILE',
    multiple: true,
  }),
  'job-duration': durationFlag({ description: 'Assume that each job runs this long.', default: '0s' }),
};

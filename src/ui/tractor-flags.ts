import { durationFlag } from './flags.ts';
import { Flags } from './oclif.ts';

export const tractorFlags = {
  hippo: Flags.string({
    multiple: true,
    description:
      "Look at this hippo; repeat the flag for more. [default: the project's hippo; without one, all]",
    helpValue: 'NAME',
  }),
  all: Flags.boolean({ description: 'Look at all hippos of this Kafka.', exclusive: ['hippo'] }),
  since: durationFlag({ description: 'Read events of this long ago and later.', default: '2d' }),
  pull: Flags.boolean({
    description: 'Run the failed runs again and wait for each.',
  }),
  'dry-run': Flags.boolean({ description: 'Print only the plan, also with --pull.' }),
  yes: Flags.boolean({ char: 'y', description: 'Do not ask before pulling.', dependsOn: ['pull'] }),
  reason: Flags.string({
    description: 'The reason, kept with each run.',
    helpValue: 'TEXT',
    dependsOn: ['pull'],
  }),
  timeout: durationFlag({
    description: 'Wait at most this long for the runs that were pulled.',
    default: '30m',
  }),
  wait: Flags.boolean({ allowNo: true, default: true, description: 'Wait for the runs that were pulled.' }),
};

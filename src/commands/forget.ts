import type { ForgetReport } from '../tractor/forget.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { forgetQuestion, renderForgotten } from '../ui/forget.ts';
import { Args, Flags } from '../ui/oclif.ts';

export default class Forget extends HippoCommand<ForgetReport> {
  static override summary =
    'Remove the consumer group and the state of a hippo, or the state of a job, that is gone for good.';
  static override description =
    'The messages stay in the topics. If a hippo of that name starts later, it starts as a new hippo. hippo refuses to ' +
    'forget a hippo while one of its clients runs, and a job while a client runs whose hippo.yaml has it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> flights --dry-run',
    '<%= config.bin %> <%= command.id %> flights --yes',
    '<%= config.bin %> <%= command.id %> flights --keep-offsets',
    '<%= config.bin %> <%= command.id %> flights/load',
  ];
  static override args = {
    hippo: Args.string({ description: 'The hippo, or HIPPO/JOB for one of its jobs.', required: true }),
  };
  static override flags = {
    'keep-offsets': Flags.boolean({
      description:
        'Forget the state only: the next start goes on at the committed offsets of the group. It does not remember which ' +
        'inputs have landed, so runs that waited for more inputs do not start, and runs after the committed offsets run again.',
    }),
    'dry-run': Flags.boolean({ description: 'Print what would be removed and change nothing.' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask.' }),
  };

  protected async work(): Promise<ForgetReport> {
    const { args, flags } = await this.parse(Forget);
    const { forgetHippo } = await import('../tractor/forget.ts');
    return forgetHippo({
      ...args,
      keepOffsets: flags['keep-offsets'],
      file: flags.config,
      profile: flags.profile,
      dryRun: flags['dry-run'],
      signal: this.stopping,
      confirm: async (plan) => flags.yes || (await this.confirm(forgetQuestion(plan))),
    });
  }

  protected render(report: ForgetReport): string {
    return renderForgotten(report);
  }
}

import type { DownPlan, DownResult } from '../stack/down.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Flags } from '../ui/oclif.ts';
import { renderDown } from '../ui/stack.ts';

export default class Down extends HippoCommand<DownResult | DownPlan> {
  static override summary = 'Stop the local stack that `hippo up` started.';
  static override description =
    'Stops Kafka and PostgreSQL and leaves no process. The data stay for the next `hippo up`, unless you give --purge.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --purge --yes',
  ];
  static override flags = {
    purge: Flags.boolean({ description: 'Also remove the data: topics, events, state, databases.' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask before removing data.', dependsOn: ['purge'] }),
    'dry-run': Flags.boolean({ description: 'Print the steps and do nothing.' }),
  };

  protected async work(): Promise<DownResult | DownPlan> {
    const { flags } = await this.parse(Down);
    const [{ down }, { runSteps }] = await Promise.all([
      import('../stack/down.ts'),
      import('../ui/steps.ts'),
    ]);
    return down({
      file: flags.config,
      profile: flags.profile,
      purge: flags.purge,
      dryRun: flags['dry-run'],
      confirm: async (question) => flags.yes || (await this.confirm(question)),
      runSteps,
    });
  }

  protected render(result: DownResult | DownPlan): string {
    return renderDown(result);
  }
}

import type { DownContext, DownPlan, DownResult } from '../stack/down.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Flags } from '../ui/oclif.ts';
import { renderDown } from '../ui/stack.ts';

export default class Down extends HippoCommand<DownResult | DownPlan> {
  static override summary = 'Stop the local stack that `hippo up` started.';
  static override description =
    'Stops Kafka and leaves no process. The data stay for the next `hippo up`, unless you give --purge.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --purge --yes',
  ];
  static override flags = {
    purge: Flags.boolean({ description: 'Also remove the data: topics, events, state.' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask before removing data.', dependsOn: ['purge'] }),
    'dry-run': Flags.boolean({ description: 'Print the steps and do nothing.' }),
  };

  protected async work(): Promise<DownResult | DownPlan> {
    const { flags } = await this.parse(Down);
    const [{ downResult, findDownProject, gatherDownFacts, planDown }, { runSteps }] = await Promise.all([
      import('../stack/down.ts'),
      import('../ui/steps.ts'),
    ]);
    const { config: file, profile } = flags;
    const { env } = process;
    const facts = await gatherDownFacts(await findDownProject({ file, profile, cwd: process.cwd(), env }));
    const steps = planDown(facts, { purge: flags.purge });
    if (flags['dry-run']) return { dry_run: true, steps: steps.map(({ title }) => title) };
    if (flags.purge && facts.data && !flags.yes) {
      const question = `Remove all topics and events in ${facts.place.kafka}?`;
      const purge = await this.confirm(question);
      if (!purge) return downResult(facts, 'declined');
    }
    const context: DownContext = { outcome: 'gone' };
    await runSteps(steps, context);
    return downResult(facts, context.outcome);
  }

  protected render(result: DownResult | DownPlan): string {
    return renderDown(result);
  }
}

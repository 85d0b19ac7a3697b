import { Listr, PRESET_TIMER } from 'listr2';
import type { Step } from '../core/steps.ts';

/** Runs the steps as a task list on stderr: live on a terminal, a line a step elsewhere. */
export async function runSteps<Context>(steps: readonly Step<Context>[], context: Context): Promise<void> {
  const live = process.stderr.isTTY && process.env['CI'] === undefined;
  const list = new Listr<{ context: Context }, 'default' | 'verbose'>(
    steps.map((step) => ({
      title: step.title,
      skip: async () => (await step.skip?.(context)) ?? false,
      task: async (_, task) => {
        await step.run(context, (detail) => {
          task.output = detail;
        });
      },
    })),
    { renderer: live ? 'default' : 'verbose', rendererOptions: { timer: PRESET_TIMER } },
  );
  await list.run({ context });
}

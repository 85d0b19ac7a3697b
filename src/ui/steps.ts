import { performance } from 'node:perf_hooks';
import { DefaultRenderer, Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from 'listr2';
import { chalkStderr as chalk } from 'chalk';
import { formatDuration } from '../core/duration.ts';
import type { Step } from '../core/steps.ts';
import { fitsLiveList } from './terminal.ts';

/**
 * Runs the steps one after the other and shows how they go on stderr: a live list on a terminal, a line at the start
 * and at the end of each step elsewhere. The first step that throws ends the list; its error is the caller's.
 */
export async function runSteps<Context>(steps: readonly Step<Context>[], context: Context): Promise<void> {
  const { stderr, env } = process;
  const live = stderr.isTTY && fitsLiveList(stderr) && env['CI'] === undefined && env['TERM'] !== 'dumb';
  await (live ? runLive(steps, context) : runPlain(steps, context));
}

/** listr2 asks stdout whether there is a terminal to draw on; here it is stderr, and known to be one. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

async function runLive<Context>(steps: readonly Step<Context>[], context: Context): Promise<void> {
  // listr2 draws on stdout unless told otherwise; results alone go there.
  const logger = new ListrLogger({
    useIcons: true,
    toStderr: [],
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  const list = new Listr<{ context: Context }, typeof StderrRenderer>(
    steps.map((step) => ({
      title: step.title,
      skip: async () => {
        const reason = (await step.skip?.(context)) ?? false;
        return reason === false ? false : `${step.title}: ${reason}`;
      },
      task: async (_, task) => {
        await step.run(context, (detail) => {
          task.output = detail;
        });
      },
    })),
    {
      renderer: StderrRenderer,
      rendererOptions: { logger, timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
      // The command has its own, which ends the steps in order; listr2's ends the process at once.
      registerSignalListeners: false,
    },
  );
  await list.run({ context });
}

async function runPlain<Context>(steps: readonly Step<Context>[], context: Context): Promise<void> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  for (const step of steps) {
    const skipped = (await step.skip?.(context)) ?? false;
    if (skipped !== false) {
      say(`${chalk.yellow('↓')} ${step.title}: ${skipped}`);
      continue;
    }
    const started = performance.now();
    const took = (): string => chalk.dim(`(${formatDuration(performance.now() - started)})`);
    try {
      await step.run(context, announceLate(step.title, say));
    } catch (error) {
      say(`${chalk.red('✗')} ${step.title} ${took()}`);
      throw error;
    }
    say(`${chalk.green('✓')} ${step.title} ${took()}`);
  }
}

/** A step that reports details takes long: says that it has begun, then a detail every ten seconds. */
function announceLate(title: string, say: (line: string) => void): (detail: string) => void {
  let next = 0;
  return (detail) => {
    const now = performance.now();
    if (now < next) return;
    say(`${chalk.dim('▸')} ${title}: ${detail}`);
    next = now + 10_000;
  };
}

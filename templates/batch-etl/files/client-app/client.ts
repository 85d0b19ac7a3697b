/**
 * Hooks that the client calls before (beforeSubmit) and after (afterFinish) each attempt of a job. The client loads this file
 * when it starts, so restart the client after a change. Both hooks are optional, and so is the file. For the types in your
 * editor: npm install --save-dev hippo-toolkit
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HookRun, Hooks } from 'hippo-toolkit';

/** Returns the local input folder if it is missing, so that the run fails at once with a clear error and not after Spark's start. */
function missingInput(run: HookRun): string | null {
  const input = process.env['HIPPO_INPUT_DIR'] ?? 'data/input';
  if (input.includes('://')) return null;
  const table = valuesOf('--table', run.args)[0] ?? '';
  const folder = join(input, table, ...valuesOf('--partition', run.args));
  return existsSync(folder) ? null : folder;
}

function valuesOf(option: string, args: readonly string[]): string[] {
  return args.filter((_, index) => args[index - 1] === option);
}

export default {
  /** Runs before Spark starts. It may return `{ args: […], env: {…} }` to change the job's arguments and environment. */
  beforeSubmit(run) {
    const missing = missingInput(run);
    if (missing !== null) throw new Error(`the input folder ${missing} does not exist, although its event has been published`);
  },
} satisfies Hooks;

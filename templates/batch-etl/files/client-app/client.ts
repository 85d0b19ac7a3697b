/**
 * Hooks that the client calls before and after each attempt of a job. The client loads this file when it starts, so
 * restart the client after a change. Both hooks are optional, and so is the file. For the types in your editor:
 * npm install --save-dev hippo-toolkit
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HookOutcome, HookRun, Hooks } from 'hippo-toolkit';

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

/** Posts `{"text": "…"}` to the webhook of a chat or incident tool. */
async function alert(webhook: string, run: HookRun, outcome: HookOutcome): Promise<void> {
  const text = `${run.hippo}/${run.job} ${run.runKey}, attempt ${run.attempt}: ${outcome.status}. ${outcome.error ?? ''}`;
  const response = await fetch(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: text.trim() }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
}

export default {
  /** Runs before Spark starts. It may return `{ args: […], env: {…} }` to change the job's arguments and environment. */
  beforeSubmit(run) {
    const missing = missingInput(run);
    if (missing !== null) throw new Error(`the input folder ${missing} does not exist, although its event has been published`);
  },

  /** Runs after each attempt, also after a failed one. */
  async afterFinish(run, outcome) {
    const webhook = process.env['ALERT_WEBHOOK'];
    if (webhook !== undefined && outcome.status === 'failed') await alert(webhook, run, outcome);
  },
} satisfies Hooks;

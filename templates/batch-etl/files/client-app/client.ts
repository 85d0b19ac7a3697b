/**
 * This hippo's own code around each attempt of its job. The client runs the file as it is: save it, restart the client.
 * Both hooks are optional; so is the file. For the types in your editor: npm install --save-dev hippo-toolkit
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HookOutcome, HookRun, Hooks } from 'hippo-toolkit';

/** Local input that is not there fails at once, by a clear text, instead of after Spark's start. */
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

/** One JSON line to a chat or an incident tool that takes `{"text": "…"}`. */
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
  /** Before Spark is started. May also return `{ args: […], env: {…} }` to change what the job is started with. */
  beforeSubmit(run) {
    const missing = missingInput(run);
    if (missing !== null) throw new Error(`the event has come, but not its data: ${missing} is missing`);
  },

  /** After an attempt has ended, whatever came of it. */
  async afterFinish(run, outcome) {
    const webhook = process.env['ALERT_WEBHOOK'];
    if (webhook !== undefined && outcome.status === 'failed') await alert(webhook, run, outcome);
  },
} satisfies Hooks;

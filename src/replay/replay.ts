import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { connectProject } from '../kafka/project.ts';
import type { Letter } from './letter.ts';
import { type ReplayPlan, type ReplayWords, planReplay } from './plan.ts';
import { sendLetters } from './send.ts';

export interface ReplayOptions extends ReplayWords {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  dryRun: boolean;
  signal: AbortSignal;
  onPlan: (letters: readonly Letter[]) => void;
  /** Asks the operator; false changes nothing. */
  confirm: (question: string) => Promise<boolean>;
}

export interface ReplayReport {
  /** There was nothing to send. */
  dry_run: boolean;
  /** The operator declined. */
  declined: boolean;
  /** All selected letters, oldest first. */
  letters: Letter[];
}

/**
 * Sends dead letters back to the topics that they came from.
 *
 * @throws UserError for invalid arguments, ServiceError without Kafka, InterruptedError before anything was sent
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { file, profile, dryRun, signal, onPlan, confirm } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const plan = await planReplay(kafka, loaded.config, options, { clock: systemClock, signal });
    const planned = report(plan.letters);
    onPlan(planned);
    const ready = planned.filter(({ status }) => status === 'ready').length;
    if (dryRun || ready === 0) return { dry_run: dryRun, declined: false, letters: planned };
    const agreed = await confirm(`Send ${ready === 1 ? 'this message' : `these ${ready} messages`} back?`);
    if (!agreed) return { dry_run: false, declined: true, letters: planned };
    const sent = await sendLetters(kafka, plan, { again: options.again, clock: systemClock, signal });
    return { dry_run: false, declined: false, letters: report(sent) };
  } finally {
    await kafka.close();
  }
}

function report(letters: ReplayPlan['letters']): Letter[] {
  return letters.map(({ letter }) => letter);
}

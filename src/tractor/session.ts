import { hippoName, loadConfig, type LoadedConfig } from '../config/load.ts';
import { connectProject } from '../kafka/project.ts';
import type { Outcome, Scope } from './recovery.ts';
import { operator } from '../job/request.ts';
import { type TractorPlan, type TractorReport, planRecovery, pull, pullable } from './tractor.ts';

export interface TractorOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Only these; null: the project's, or all outside a project. */
  hippos: readonly string[] | null;
  all: boolean;
  /** Milliseconds. */
  lookBack: number;
  pull: boolean;
  reason: string | null;
  /** Milliseconds; null: do not wait. */
  timeout: number | null;
  signal: AbortSignal;
  onPlan: (plan: TractorPlan) => void;
  onOutcome: (outcome: Outcome) => void;
  /** Asks the operator; false changes nothing. */
  confirm: (question: string) => Promise<boolean>;
}

/**
 * Makes the plan and, with `pull`, runs it.
 *
 * @throws UserError without brokers, ServiceError without Kafka, InterruptedError when the signal is aborted
 */
export async function runTractor(options: TractorOptions): Promise<TractorReport> {
  const { file, profile, lookBack, signal, timeout, reason, onPlan, onOutcome } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const plan = await planRecovery(kafka, loaded.config, {
      scope: scopeOf(options, loaded),
      lookBack,
      now: Date.now(),
    });
    signal.throwIfAborted();
    onPlan(plan);
    const todo = pullable(plan);
    if (!options.pull || todo.length === 0) return { ...plan, pulled: null };
    const agreed = await options.confirm(
      `Run ${todo.length === 1 ? 'this failed run' : `these ${todo.length} failed runs`} again?`,
    );
    if (!agreed) return { ...plan, pulled: null };
    const tools = { kafka, config: loaded.config, by: operator(), reason, timeout, signal, onOutcome };
    return { ...plan, pulled: await pull(plan, tools) };
  } finally {
    await kafka.close();
  }
}

/** A project is a hippo.yaml with jobs or sources. The hippo.yaml of a plain local stack has none, so it belongs to no hippo. */
function scopeOf({ hippos, all }: TractorOptions, loaded: LoadedConfig): Scope {
  if (all) return null;
  if (hippos !== null) return new Set(hippos);
  const { jobs, sources } = loaded.config;
  return loaded.file !== null && Object.keys({ ...jobs, ...sources }).length > 0
    ? new Set([hippoName(loaded)])
    : null;
}

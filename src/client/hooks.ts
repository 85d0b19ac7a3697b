/**
 * Hooks: a hippo's own code, in `client-app/client.ts` (or `.js`) of its project, as the default export.
 *
 * ```ts
 * import type { Hooks } from 'hippo-toolkit';
 *
 * export default {
 *   beforeSubmit(run) {
 *     if (run.runKey < '2017-01') return { veto: 'older than the contract' };
 *     return { args: [...run.args, '--fast'] };
 *   },
 * } satisfies Hooks;
 * ```
 *
 * The file runs as it is, without a build: TypeScript whose types can be stripped (no enums, no parameter properties).
 */
import type { InputState } from '../state/index.ts';

/** The run that a hook decides about. */
export interface HookRun {
  hippo: string;
  job: string;
  runKey: string;
  jobId: string;
  /** From 1. */
  attempt: number;
  attemptId: string;
  /** ISO 8601; null for `every: event`. */
  window: { start: string; end: string } | null;
  /** The program, e.g. `./start-spark.sh`. */
  program: string;
  args: readonly string[];
  /** The environment variables that hippo.yaml gives the job. */
  env: Readonly<Record<string, string>>;
  inputs: readonly InputState[];
}

/** How an attempt ended. */
export interface HookOutcome {
  status: 'succeeded' | 'failed' | 'cancelled' | 'vetoed';
  exitCode: number | null;
  durationMs: number;
  /** What the job wrote into `$HIPPO_RESULT_FILE`; a whole number beyond 2^53 is a bigint. */
  result?: unknown;
  error?: string;
  logFile: string;
}

/** What a hook may decide: not to run (the run then counts as cancelled), or other arguments and further variables. */
export type HookDecision =
  { veto: string } | { args?: readonly string[]; env?: Readonly<Record<string, string>> };

type Awaitable<T> = T | Promise<T>;

export interface Hooks {
  /**
   * Before each attempt's process is started; at most 30 s. Throwing, or taking longer, fails the attempt and nothing else.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a hook that decides nothing returns nothing
  beforeSubmit?(run: HookRun): Awaitable<HookDecision | void>;
  /** After an attempt has ended and that has been recorded; at most 30 s. Throwing is a warning in the log. */
  afterFinish?(run: HookRun, outcome: HookOutcome): Awaitable<void>;
}

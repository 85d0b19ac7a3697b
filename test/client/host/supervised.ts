import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { parseConfig } from '../../../src/config/schema.ts';
import type { StackEnvironment } from '../../../src/config/stack-file.ts';
import type { HookDecision, HookRun } from '../../../src/client/hooks.ts';
import type { Submission } from '../../../src/client/machine/types.ts';
import { attemptLogPath } from '../../../src/client/host/attempt-log.ts';
import { AttemptLogs, type LogLimits } from '../../../src/client/host/attempt-logs.ts';
import { startGuard } from '../../../src/client/host/guard.ts';
import { AttemptFiles } from '../../../src/client/host/orphans.ts';
import { type TaggedProcess, processesTagged } from '../../../src/client/host/process-group.ts';
import { type AttemptExit, Supervisor } from '../../../src/client/host/supervisor.ts';
import { ATTEMPT_TAG } from '../../../src/client/host/tags.ts';
import type { YarnCluster } from '../../../src/client/host/yarn/cluster.ts';

export interface Supervised extends AsyncDisposable {
  /** The project. */
  directory: string;
  supervisor: Supervisor;
  /** In the order in which they came. */
  exits: AttemptExit[];
  notes: string[];
  /** Puts a script into the project, e.g. `job.sh`. */
  script(path: string, text: string): Promise<string>;
  /** Starts an attempt; what is not given is that of a first attempt of `./job.sh`. */
  start(given?: Partial<Submission>): Submission;
  /** Starts an attempt and waits for its exit. */
  run(given?: Partial<Submission>): Promise<AttemptExit>;
  exitOf(submission: Submission): Promise<AttemptExit>;
  logOf(submission: Submission): Promise<string>;
  /** Resolves when the attempt's log has the text. */
  logged(submission: Submission, text: string): Promise<void>;
  survivors(submission: Submission): Promise<TaggedProcess[]>;
}

export interface SupervisedOptions {
  /** A project that is there already. */
  directory?: string;
  owner?: string;
  killGrace?: number;
  cluster?: YarnCluster | null;
  /** The `yarn` section of hippo.yaml. */
  yarn?: object;
  sparkSubmit?: string;
  environment?: StackEnvironment;
  beforeSubmit?: (run: HookRun) => Promise<HookDecision> | HookDecision;
  needsResult?: boolean;
  isOwner?: boolean;
  logs?: Partial<LogLimits>;
}

/** A supervisor with a project of its own, and real processes. */
export async function supervised(options: SupervisedOptions = {}): Promise<Supervised> {
  const temporary = await mkdtemp(join(tmpdir(), 'hippo-supervisor-'));
  const directory = options.directory ?? temporary;
  const owner = options.owner ?? `test/${randomUUID()}`;
  const exits: AttemptExit[] = [];
  const notes: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<AttemptExit>>();
  const guard = startGuard(1_000);
  const files = new AttemptFiles(directory);
  const supervisor = new Supervisor({
    hippo: 'flights',
    owner,
    directory,
    sparkSubmit: options.sparkSubmit ?? null,
    environment: options.environment ?? {},
    killGrace: options.killGrace ?? 5_000,
    hooks: {
      file: null,
      beforeSubmit: async (run) => options.beforeSubmit?.(run) ?? {},
      afterFinish: () => Promise.resolve(),
    },
    guard,
    files,
    logs: new AttemptLogs({
      directory,
      identity: 'flights',
      limits: { attempt_size: 64 * 2 ** 20, keep: Infinity, max_size: Infinity, ...options.logs },
      files,
      now: Date.now,
      warn: (text) => notes.push(`warning: ${text}`),
    }),
    yarn: parseConfig({ yarn: options.yarn ?? {} }).yarn,
    cluster: options.cluster ?? null,
    needsResult: () => options.needsResult ?? false,
    isOwner: () => Promise.resolve(options.isOwner ?? true),
    onStarted: () => undefined,
    onExit: (exit) => {
      exits.push(exit);
      waiting.get(exit.submission.attemptId)?.resolve(exit);
    },
    onNote: ({ level, text }) => notes.push(`${level}: ${text}`),
  });
  const start = (given: Partial<Submission> = {}): Submission => {
    const submission = submissionOf(given);
    waiting.set(submission.attemptId, Promise.withResolvers());
    supervisor.start(submission);
    return submission;
  };
  const exitOf = async ({ attemptId }: Submission): Promise<AttemptExit> => {
    const exit = await waiting.get(attemptId)?.promise;
    if (exit === undefined) throw new Error(`${attemptId} was not started here`);
    return exit;
  };
  const logOf = (submission: Submission): Promise<string> =>
    readFile(attemptLogPath(directory, submission), 'utf8').catch(() => '');
  return {
    directory,
    supervisor,
    exits,
    notes,
    async script(path, text) {
      const file = join(directory, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      await chmod(file, 0o755);
      return file;
    },
    start,
    run: (given) => exitOf(start(given)),
    exitOf,
    logOf,
    logged: (submission, text) => until(async () => (await logOf(submission)).includes(text)),
    survivors: ({ attemptId }) => processesTagged({ [ATTEMPT_TAG]: attemptId }),
    async [Symbol.asyncDispose]() {
      await supervisor.stop();
      guard.dismiss();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

export function submissionOf(given: Partial<Submission> = {}): Submission {
  const attempt = given.attempt ?? 1;
  return {
    job: 'load',
    key: '201704',
    jobId: 'load_1493394946',
    attempt,
    attemptId: `load-1493394946-${attempt}-${randomUUID()}`,
    window: null,
    argv: ['./job.sh'],
    env: {},
    inputs: [],
    timeout: null,
    traceparent: null,
    lastResult: null,
    ...given,
  };
}

/** Waits for what comes about. @throws Error after a time that a busy machine does not need either */
export function until(condition: () => boolean | Promise<boolean>, timeout = 60_000): Promise<void> {
  const holds = async (): Promise<void> => {
    if (!(await condition())) throw new Error(`it has not come about: ${condition.toString()}`);
  };
  return vi.waitFor(holds, { interval: 20, timeout });
}

/** A shell script. */
export function sh(...lines: string[]): string {
  return `#!/bin/sh\n${lines.join('\n')}\n`;
}

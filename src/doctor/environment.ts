import { hippoName, loadConfig, type LoadedConfig } from '../config/load.ts';
import { type ProgramAnswer, askProgram, findProgram } from '../core/environment/index.ts';
import { HippoError } from '../core/errors.ts';
import type { Kafka } from '../kafka/port.ts';

/** The project of the working directory. */
export type Project =
  /** There is no hippo.yaml here or above, so the defaults apply. */
  | { state: 'none'; file: null; loaded: LoadedConfig }
  /** There is a hippo.yaml, but it is invalid. */
  | { state: 'broken'; file: string | null; problem: HippoError }
  | { state: 'loaded'; file: string; loaded: LoadedConfig; hippo: string };

/** Everything that checks read, gathered once. Slow facts are gathered lazily, at most once. */
export interface Environment {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly project: Project;
  /** The program's absolute path: `name` itself when it is a path, else the first executable on PATH. */
  find(name: string): string | undefined;
  /** Runs a program for its answer. A program that cannot be run answers with `exitCode: null`. */
  ask(program: string, args: readonly string[], signal?: AbortSignal): Promise<ProgramAnswer>;
  /**
   * The cluster, connected once for all checks.
   *
   * @throws UserError if no brokers are known, ServiceError if none answers
   */
  kafka(): Promise<Kafka>;
  close(): Promise<void>;
}

export interface EnvironmentOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** `--config` */
  file?: string | undefined;
  /** `--profile` */
  profile?: string | undefined;
  /** Aborts connecting to Kafka. */
  signal?: AbortSignal | undefined;
}

/** Gathers the environment. An invalid hippo.yaml is part of it, not an error. */
export async function gatherEnvironment({
  cwd,
  env,
  file,
  profile,
  signal: stop,
}: EnvironmentOptions): Promise<Environment> {
  const project = await findProject({ cwd, env, file, profile });
  let connection: Promise<Kafka> | undefined;
  return {
    cwd,
    env,
    platform: process.platform,
    project,
    find: (name) => findProgram(name, env),
    ask: (program, args, signal) => askProgram(program, args, { env, signal }),
    kafka: () => (connection ??= connect(project, env, stop)),
    close: async () => {
      const kafka = await connection?.catch(() => undefined);
      await kafka?.close();
    },
  };
}

async function findProject({ cwd, env, file, profile }: EnvironmentOptions): Promise<Project> {
  try {
    const loaded = await loadConfig({ cwd, env, file, profile });
    if (loaded.file === null) return { state: 'none', file: null, loaded };
    return { state: 'loaded', file: loaded.file, loaded, hippo: hippoName(loaded) };
  } catch (thrown) {
    if (!(thrown instanceof HippoError)) throw thrown;
    return { state: 'broken', file: thrown.place?.file ?? file ?? null, problem: thrown };
  }
}

async function connect(project: Project, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Kafka> {
  if (project.state === 'broken') throw project.problem;
  const { connectProject } = await import('../kafka/project.ts');
  return connectProject(project.loaded, env, signal);
}

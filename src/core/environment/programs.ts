import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Millis } from '../clock.ts';

/** Environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The file of a program: `name` itself when it is a path, else the first executable file of that name on PATH. */
export function findProgram(name: string, env: Variables): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Whether this is a file that may be executed; a folder has the same permission, and is none. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The Java that Kafka and Spark use: JAVA_HOME's, else the one on PATH, which may be missing. */
export function javaCommand(env: Variables): string {
  const home = env['JAVA_HOME'] ?? '';
  return home === '' ? 'java' : join(home, 'bin', 'java');
}

/** The output of a program. */
export interface ProgramAnswer {
  /** null: it could not be started, was ended by a signal, or did not end in time. */
  exitCode: number | null;
  /** stdout and stderr together, because tools print their version on either. */
  output: string;
  /** Whether it was ended because it took too long, which says nothing about the program. */
  timedOut: boolean;
}

/** A starved machine takes seconds for what takes milliseconds elsewhere. */
const ANSWER_TIMEOUT = 60_000;

/** Runs a program for its answer, with these variables only. It never throws because of the program. */
export async function askProgram(
  program: string,
  args: readonly string[],
  {
    env,
    timeout = ANSWER_TIMEOUT,
    signal,
  }: { env: Variables; timeout?: Millis; signal?: AbortSignal | undefined },
): Promise<ProgramAnswer> {
  const { execa } = await import('../exec.ts');
  const { exitCode, all, timedOut } = await execa(program, args, {
    all: true,
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout,
    ...(signal && { cancelSignal: signal }),
  });
  return { exitCode: exitCode ?? null, output: all, timedOut };
}

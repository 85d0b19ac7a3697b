import { fileURLToPath } from 'node:url';
import { execa, type ExecOptions } from '../../src/core/exec.ts';

/** The built CLI's entry, as `hippo` on a user's PATH is. */
export const HIPPO = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Milliseconds; a command that takes longer is killed, and the test fails. */
  timeout?: number;
}

/** vitest's NODE_ENV=test is not what a user's shell has. */
const BASE_ENV = { NO_COLOR: '1', COLUMNS: '80', NODE_ENV: undefined };

/** Runs the built CLI to its end, whatever its exit code, as a user's script does: no terminal, no colour. */
export async function hippo(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await execa(process.execPath, [HIPPO, ...args], {
    ...execOptions(options),
    input: options.input ?? '',
    timeout: options.timeout ?? 120_000,
  });
  if (result.timedOut)
    throw new Error(`hippo ${args.join(' ')} did not end:\n${result.stdout}\n${result.stderr}`);
  if (result.exitCode === undefined)
    throw new Error(`hippo ${args.join(' ')} did not exit: ${result.message}`);
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** Runs the built CLI with `--json` and reads what it printed. */
export async function hippoJson(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult & { json: unknown }> {
  const result = await hippo([...args, '--json'], options);
  try {
    return { ...result, json: JSON.parse(result.stdout) as unknown };
  } catch (error) {
    throw new Error(`hippo ${args.join(' ')} --json printed no JSON:\n${result.stdout}\n${result.stderr}`, {
      cause: error,
    });
  }
}

/** Starts the built CLI and leaves it running; the caller ends it. */
export function startHippo(args: readonly string[], options: CliOptions = {}) {
  return execa(process.execPath, [HIPPO, ...args], { ...execOptions(options), stdin: 'ignore' });
}

function execOptions(options: CliOptions) {
  return {
    reject: false,
    env: { ...BASE_ENV, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stripFinalNewline: false,
  } as const satisfies ExecOptions;
}

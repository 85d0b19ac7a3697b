import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Environment, gatherEnvironment } from '../../src/doctor/environment.ts';

/** A machine of a test's own: a folder with a project, and a PATH that holds what the test puts there. */
export interface Machine extends AsyncDisposable {
  directory: string;
  bin: string;
  /** Puts an executable on the PATH. */
  program(name: string, script: string): Promise<string>;
  file(path: string, text: string | Buffer, mode?: number): Promise<string>;
  environment(env?: NodeJS.ProcessEnv): Promise<Environment>;
}

export async function newMachine(): Promise<Machine> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'hippo-doctor-')));
  const directory = join(root, 'project');
  const bin = join(root, 'bin');
  await mkdir(directory);
  await mkdir(bin);
  const write = async (path: string, text: string | Buffer, mode = 0o644): Promise<string> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };
  return {
    directory,
    bin,
    program: (name, script) => write(join(bin, name), `#!/bin/sh\n${script}\n`, 0o755),
    file: (path, text, mode) => write(join(directory, path), text, mode),
    environment: (env = {}) =>
      gatherEnvironment({ cwd: directory, env: { PATH: bin, HIPPO_CACHE: join(root, 'cache'), ...env } }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** A check's findings as lines: `error: …`. */
export function lines({ findings }: { findings: readonly { status: string; text: string }[] }): string[] {
  return findings.map(({ status, text }) => `${status}: ${text}`);
}

/** A signal that is never aborted. */
export const never = new AbortController().signal;

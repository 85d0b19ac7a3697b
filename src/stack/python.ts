import { execa } from '../core/exec.ts';
import { UserError } from '../core/errors.ts';

/** The Python that Spark 4.1 requires (Requires-Python in its package metadata). */
export const REQUIRED_PYTHON: readonly [number, number] = [3, 10];

export interface Python {
  command: string;
  version: string;
}

/**
 * `python3`, else `python`, on PATH.
 *
 * @throws UserError if there is none, it is too old, or it lacks the module venv
 */
export async function requirePython(env: NodeJS.ProcessEnv): Promise<Python> {
  const required = REQUIRED_PYTHON.join('.');
  const next = [
    `install Python ${required} or later with venv, e.g. apt install python3 python3-venv`,
    'or point SPARK_HOME at a Spark',
    'or hippo up --no-spark',
  ];
  const found: Python[] = [];
  for (const command of ['python3', 'python']) {
    const said = await execa(command, ['--version'], { reject: false, all: true, env, timeout: 20_000 });
    const version = /^Python (\d+\.\d+\S*)/m.exec(said.all)?.[1];
    if (!said.failed && version !== undefined) found.push({ command, version });
  }
  const fitting = found.find(({ version }) => isRecentEnough(version));
  if (fitting === undefined) {
    const [best] = found;
    throw best === undefined
      ? new UserError('Python was not found', { why: 'Spark runs in it.', next })
      : new UserError(`Python ${best.version} is too old`, {
          why: `Spark needs ${required} or later.`,
          next,
        });
  }
  // Debian has ensurepip, which venv needs, in a package of its own.
  const { failed } = await execa(fitting.command, ['-c', 'import venv, ensurepip'], { reject: false, env });
  if (failed)
    throw new UserError('Python has no venv', {
      why: `${fitting.command} cannot import venv and ensurepip.`,
      next,
    });
  return fitting;
}

/** Whether `3.11.7` is at least {@link REQUIRED_PYTHON}. */
export function isRecentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > REQUIRED_PYTHON[0] || (major === REQUIRED_PYTHON[0] && minor >= REQUIRED_PYTHON[1]);
}

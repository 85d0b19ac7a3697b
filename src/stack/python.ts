import { REQUIRED, atLeast, pythonVersionIn, versionIn } from '../core/environment/index.ts';
import { UserError } from '../core/errors.ts';
import { askNeeded } from './answer.ts';

export interface Python {
  command: string;
  version: string;
}

/**
 * `python3`, else `python`, on PATH.
 *
 * @throws UserError if there is none, it is too old, or it lacks the module venv; TimeoutError if it does not answer
 */
export async function requirePython(env: NodeJS.ProcessEnv): Promise<Python> {
  const required = REQUIRED.python.join('.');
  const next = [
    `install Python ${required} or later with venv, e.g. apt install python3 python3-venv`,
    'or point SPARK_HOME at a Spark',
    'or hippo up --no-spark',
  ];
  const found: Python[] = [];
  for (const command of ['python3', 'python']) {
    const { exitCode, output } = await askNeeded('Python', command, ['--version'], env);
    const version = pythonVersionIn(output);
    if (exitCode === 0 && version !== undefined) found.push({ command, version });
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
  const { exitCode } = await askNeeded('Python', fitting.command, ['-c', 'import venv, ensurepip'], env);
  if (exitCode !== 0)
    throw new UserError('Python has no venv', {
      why: `${fitting.command} cannot import venv and ensurepip.`,
      next,
    });
  return fitting;
}

/** Whether `3.11.7` is late enough for Spark. */
export function isRecentEnough(version: string): boolean {
  return atLeast(versionIn(version) ?? [], REQUIRED.python);
}

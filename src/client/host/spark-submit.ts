import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The spark-submit that jobs should use, for their variable SPARK_SUBMIT: what the environment says, else SPARK_HOME's,
 * else the first on the PATH, else that of the local stack.
 *
 * @param stack the path that `.hippo/stack.json` names, if any
 * @returns null when there is none: a hippo need not be about Spark
 */
export function sparkSubmit(env: NodeJS.ProcessEnv, stack: string | null): string | null {
  const home = env['SPARK_HOME'] ?? '';
  const candidates = [
    env['SPARK_SUBMIT'] ?? '',
    home === '' ? '' : join(home, 'bin', 'spark-submit'),
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, 'spark-submit')),
    stack ?? '',
  ];
  return candidates.find((path) => path !== '' && isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type SparkPlace,
  type SparkSource,
  type Variables,
  askProgram,
  isExecutable,
  sparkPlace,
} from '../core/environment/index.ts';
import { execa } from '../core/exec.ts';
import { UserError } from '../core/errors.ts';
import { cacheDirectory } from '../core/paths.ts';
import { installOnce } from './install.ts';
import { pipInstall } from './pip.ts';
import { requirePython } from './python.ts';

/** The version that is fetched if this machine has no Spark. */
export const SPARK_VERSION = '4.1.1';
/** What `hippo up` does where there is none. The size is that of the downloads: Spark 455 MB, numpy 17 MB. */
export const FETCH_SPARK = `fetch Spark ${SPARK_VERSION} (472 MB, once)`;
/**
 * MLlib does not start without numpy, and pyspark does not bring it. 2.2.6 is the last for Python 3.10. Installed it takes 70 MB.
 */
const NUMPY = ['numpy==2.3.5; python_version >= "3.11"', 'numpy==2.2.6; python_version < "3.11"'];

export interface Spark {
  /** The program to run. */
  sparkSubmit: string;
  /** `unknown` if it does not tell. */
  version: string;
  source: SparkSource | 'cache';
}

/**
 * The Spark of this machine: `SPARK_SUBMIT` (the program itself), `SPARK_HOME`, `spark-submit` on the PATH, else
 * the one in this user's cache; null when there is none.
 *
 * @throws UserError if a variable names a file that does not exist
 */
export async function findSpark(env: Variables): Promise<Spark | null> {
  const place = sparkPlace(env);
  if (place === undefined) return existsSync(cachedSpark()) ? ofCache() : null;
  const { file, source } = place;
  if (!isExecutable(file)) throw notThere(place, env);
  return { sparkSubmit: file, version: await sparkVersion(file, env), source };
}

/**
 * Fetches pyspark, and numpy for MLlib, into a virtual environment in the user's cache. Safe to repeat, to interrupt and to run twice at once.
 *
 * @param update called with progress
 * @throws UserError if there is no suitable Python, ChildError if pip fails
 */
export async function installSpark(
  update: (detail: string) => void,
  options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined } = {},
): Promise<Spark> {
  const env = options.env ?? process.env;
  await installOnce(
    cachedSpark(),
    async (temporary) => {
      const python = await requirePython(env);
      const venv = join(temporary, 'venv');
      update('making a virtual environment');
      await execa(python.command, ['-m', 'venv', venv], { env, ...cancelledBy(options.signal) });
      const scratch = join(temporary, 'tmp');
      await mkdir(scratch);
      await pipInstall(venv, [`pyspark==${SPARK_VERSION}`, ...NUMPY], { ...options, scratch, update });
      await rm(scratch, { recursive: true, force: true });
      const wrapper = join(temporary, 'spark-submit');
      await writeFile(wrapper, SPARK_SUBMIT);
      await chmod(wrapper, 0o755);
    },
    { onWait: () => update('another hippo is fetching it'), signal: options.signal },
  );
  return ofCache();
}

function notThere({ file, source }: SparkPlace, env: Variables): UserError {
  return new UserError(`${source} names no Spark`, {
    why: existsSync(file) ? `${file} cannot be executed.` : `There is no ${file}.`,
    next: [
      `correct ${source} (now ${env[source] ?? ''})`,
      `or unset ${source}: hippo then looks on the PATH and in its cache`,
    ],
  });
}

/** The name says that numpy is in it: older hippos left a `spark-4.1.1` without it. */
function cachedSpark(): string {
  return join(cacheDirectory(), `spark-${SPARK_VERSION}-numpy`);
}

function ofCache(): Spark {
  return { sparkSubmit: join(cachedSpark(), 'spark-submit'), version: SPARK_VERSION, source: 'cache' };
}

/** The version in the name of its jar, which needs no JVM, else the output of spark-submit. */
async function sparkVersion(sparkSubmit: string, env: Variables): Promise<string> {
  const home = join(dirname(await realpath(sparkSubmit)), '..');
  for (const jar of await readdir(join(home, 'jars')).catch(() => [])) {
    const version = /^spark-core_2\.\d+-(\d[\w.-]*)\.jar$/.exec(jar)?.[1];
    if (version !== undefined) return version;
  }
  const { output } = await askProgram(sparkSubmit, ['--version'], { env, timeout: 30_000 });
  return /version (\d[\w.-]*)/.exec(output)?.[1] ?? 'unknown';
}

function cancelledBy(signal: AbortSignal | undefined): { cancelSignal?: AbortSignal } {
  return signal === undefined ? {} : { cancelSignal: signal };
}

/** pyspark's own spark-submit, found and run with the Python of its virtual environment. */
const SPARK_SUBMIT = `#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
for home in "$here"/venv/lib/python3*/site-packages/pyspark; do
  SPARK_HOME=$home
done
export SPARK_HOME
export PYSPARK_PYTHON="\${PYSPARK_PYTHON:-$here/venv/bin/python}"
exec "$SPARK_HOME/bin/spark-submit" "$@"
`;

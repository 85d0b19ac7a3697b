import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { execa } from '../core/exec.ts';
import { UserError } from '../core/errors.ts';
import { cacheDirectory } from '../core/paths.ts';
import { installOnce } from './install.ts';
import { pipInstall } from './pip.ts';
import { requirePython } from './python.ts';

/** The version that is fetched if this machine has no Spark. */
export const SPARK_VERSION = '4.1.1';

export interface Spark {
  /** The program to run. */
  sparkSubmit: string;
  /** `unknown` if it does not tell. */
  version: string;
  source: 'SPARK_SUBMIT' | 'SPARK_HOME' | 'PATH' | 'cache';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The Spark of this machine: `SPARK_SUBMIT` (the program itself), `SPARK_HOME`, `spark-submit` on the PATH, else
 * the one in this user's cache; null when there is none.
 *
 * @throws UserError if a variable names a file that does not exist
 */
export async function findSpark(env: Environment): Promise<Spark | null> {
  const given = env['SPARK_SUBMIT'];
  if (given !== undefined && given !== '') return named(given, 'SPARK_SUBMIT', given);
  const home = env['SPARK_HOME'];
  if (home !== undefined && home !== '') return named(join(home, 'bin', 'spark-submit'), 'SPARK_HOME', home);
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'spark-submit'))
    .find((file) => existsSync(file));
  if (onPath !== undefined)
    return { sparkSubmit: onPath, version: await sparkVersion(onPath), source: 'PATH' };
  return existsSync(cachedSpark()) ? ofCache() : null;
}

/**
 * Fetches pyspark into a virtual environment in the user's cache. Safe to repeat, to interrupt and to run twice at once.
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
      await pipInstall(join(venv, 'bin', 'python'), `pyspark==${SPARK_VERSION}`, scratch, update, options);
      await rm(scratch, { recursive: true, force: true });
      const wrapper = join(temporary, 'spark-submit');
      await writeFile(wrapper, SPARK_SUBMIT);
      await chmod(wrapper, 0o755);
    },
    { onWait: () => update('another hippo is fetching it'), signal: options.signal },
  );
  return ofCache();
}

async function named(file: string, source: 'SPARK_SUBMIT' | 'SPARK_HOME', value: string): Promise<Spark> {
  if (!existsSync(file)) {
    throw new UserError(`${source} names no Spark`, {
      why: `There is no ${file}.`,
      next: [
        `correct ${source} (now ${value})`,
        `or unset ${source}: hippo then looks on the PATH and in its cache`,
      ],
    });
  }
  return { sparkSubmit: file, version: await sparkVersion(file), source };
}

function cachedSpark(): string {
  return join(cacheDirectory(), `spark-${SPARK_VERSION}`);
}

function ofCache(): Spark {
  return { sparkSubmit: join(cachedSpark(), 'spark-submit'), version: SPARK_VERSION, source: 'cache' };
}

/** The version in the name of its jar, which needs no JVM, else the output of spark-submit. */
async function sparkVersion(sparkSubmit: string): Promise<string> {
  const home = join(dirname(await realpath(sparkSubmit)), '..');
  for (const jar of await readdir(join(home, 'jars')).catch(() => [])) {
    const version = /^spark-core_2\.\d+-(\d[\w.-]*)\.jar$/.exec(jar)?.[1];
    if (version !== undefined) return version;
  }
  const said = await execa(sparkSubmit, ['--version'], {
    reject: false,
    all: true,
    timeout: 30_000,
    stdin: 'ignore',
  });
  return /version (\d[\w.-]*)/.exec(said.all)?.[1] ?? 'unknown';
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

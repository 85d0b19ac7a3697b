import { dirname, join } from 'node:path';
import { REQUIRED, atLeast, isExecutable, sparkPlace, versionIn } from '../../core/environment/index.ts';
import { type Check, type Finding, error, ok, warning } from '../check.ts';
import type { Environment } from '../environment.ts';
import { installCommand } from '../install.ts';

/** The Python that PySpark uses: PYSPARK_PYTHON, else python3 on PATH. */
export const python: Check = {
  id: 'python',
  title: 'Python',
  category: 'tools',
  about: 'the Python of PySpark: PYSPARK_PYTHON, else python3',
  async run(environment, signal) {
    const chosen = environment.env['PYSPARK_PYTHON'];
    const wanted = chosen === undefined || chosen === '' ? 'python3' : chosen;
    const commands = installCommand(environment, {
      apt: 'python3 python3-venv',
      dnf: 'python3',
      brew: 'python@3.12',
    });
    const path = environment.find(wanted);
    if (path === undefined) {
      const findings =
        wanted === 'python3'
          ? [warning('There is no `python3` on PATH: PySpark jobs cannot run', { commands })]
          : [
              error(`PYSPARK_PYTHON is ${wanted}, which is not there or cannot be executed`, {
                commands: ['unset PYSPARK_PYTHON'],
              }),
            ];
      return { summary: 'not found', findings };
    }
    const { exitCode, output } = await environment.ask(path, ['--version'], signal);
    const version = versionIn(output);
    if (exitCode !== 0 || version === undefined) {
      return {
        summary: 'does not run',
        findings: [error(`${path} --version failed: ${output}`, { commands })],
      };
    }
    const summary = version.join('.');
    if (atLeast(version, REQUIRED.python))
      return { summary, findings: [ok(path), ...(await numpyFindings(environment, path, signal))] };
    const text = `${path} is Python ${summary}; PySpark 4.1 needs ${REQUIRED.python.join('.')} or later`;
    return { summary, findings: [warning(text, { commands })] };
  },
};

/** Where this project trains models: numpy, without which Spark's MLlib does not start. The Spark of `hippo up` has it. */
async function numpyFindings(
  environment: Environment,
  python: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { project, env } = environment;
  const spark = sparkPlace(env);
  if (project.state !== 'loaded' || Object.keys(project.loaded.config.models).length === 0) return [];
  if (spark === undefined) return [];
  // As start-spark.sh takes it: the Python of a virtual environment lies beside spark-submit.
  const beside = join(dirname(spark.file), 'python3');
  const used = (env['PYSPARK_PYTHON'] ?? '') === '' && isExecutable(beside) ? beside : python;
  const { exitCode } = await environment.ask(used, ['-c', 'import numpy'], signal);
  if (exitCode === 0) return [];
  const text = `${used} has no numpy: the training of models by Spark's MLlib fails`;
  return [warning(text, { commands: [`${used} -m pip install numpy`] })];
}

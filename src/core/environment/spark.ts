import { join } from 'node:path';
import { type Variables, findProgram } from './programs.ts';

/** What names a Spark, the first one first. */
export type SparkSource = 'SPARK_SUBMIT' | 'SPARK_HOME' | 'PATH';

export interface SparkPlace {
  /** spark-submit. Where a variable names it, it may be missing. */
  file: string;
  source: SparkSource;
}

/** Where the Spark of this machine is: `SPARK_SUBMIT` (the program itself), else `SPARK_HOME`, else the one on PATH. */
export function sparkPlace(env: Variables): SparkPlace | undefined {
  const submit = env['SPARK_SUBMIT'] ?? '';
  if (submit !== '') return { file: submit, source: 'SPARK_SUBMIT' };
  const home = env['SPARK_HOME'] ?? '';
  if (home !== '') return { file: join(home, 'bin', 'spark-submit'), source: 'SPARK_HOME' };
  const onPath = findProgram('spark-submit', env);
  return onPath === undefined ? undefined : { file: onPath, source: 'PATH' };
}

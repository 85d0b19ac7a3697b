/** Where a job's Spark runs, by the variables that start-spark.sh goes by: SPARK_MASTER and SPARK_DEPLOY_MODE. Pure. */
import type { YarnConfig } from '../../config/schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the `yarn` section of hippo.yaml sets for a job, unless its environment says something else. */
export function sparkDefaults(yarn: YarnConfig, environment: Environment): Record<string, string> {
  if (yarn.resource_managers === undefined) return {};
  const master = environment['SPARK_MASTER'] ?? '';
  if (master !== '' && master !== 'yarn') return {};
  const mode = environment['SPARK_DEPLOY_MODE'] ?? '';
  return { SPARK_MASTER: 'yarn', SPARK_DEPLOY_MODE: mode === '' ? yarn.deploy_mode : mode };
}

/** Whether the driver runs on YARN: then the exit code of spark-submit is not the job's. */
export function isYarnCluster(environment: Environment): boolean {
  return environment['SPARK_MASTER'] === 'yarn' && environment['SPARK_DEPLOY_MODE'] === 'cluster';
}

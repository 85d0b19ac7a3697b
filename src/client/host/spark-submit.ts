import { type Variables, findProgram, isExecutable, sparkPlace } from '../../core/environment/index.ts';

/**
 * The spark-submit that jobs should use, for their variable SPARK_SUBMIT: that of the environment, else that of the local
 * stack. What is missing or cannot be executed is passed over: `hippo doctor` tells of it, and a hippo need not use Spark.
 *
 * @param stack the path that `.hippo/stack.json` names, if any
 */
export function sparkSubmit(env: Variables, stack: string | null): string | null {
  const places = [
    sparkPlace(env)?.file,
    sparkPlace({ ...env, SPARK_SUBMIT: undefined })?.file,
    findProgram('spark-submit', env),
    stack ?? undefined,
  ];
  return places.find((file) => file !== undefined && isExecutable(file)) ?? null;
}

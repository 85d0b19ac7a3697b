import { type Variables, findProgram, isExecutable, sparkPlace } from '../../core/environment/index.ts';

/**
 * The spark-submit that jobs should use, for their variable SPARK_SUBMIT: that of the environment, else that of the local
 * stack. A file that is missing or not executable is ignored: `hippo doctor` reports it, and a hippo may not use Spark
 * at all.
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

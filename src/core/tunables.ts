/** The variable by which bin/run.js tells that it has set `GLIBC_TUNABLES`, which was not set before. */
const TOLD = 'HIPPO_GLIBC_TUNABLES';

/**
 * Removes what bin/run.js has set for this process only: glibc has read it at the start, and jobs must not inherit it.
 *
 * @param env the environment that child processes get
 */
export function forgetTunables(env: NodeJS.ProcessEnv): void {
  if (env[TOLD] === undefined) return;
  Reflect.deleteProperty(env, TOLD);
  Reflect.deleteProperty(env, 'GLIBC_TUNABLES');
}

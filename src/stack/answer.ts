import { type ProgramAnswer, askProgram } from '../core/environment/index.ts';
import { TimeoutError } from '../core/errors.ts';

/**
 * Runs a program that the local stack needs, for its answer.
 *
 * @param needed the thing that it is asked about, for the error: `Java`
 * @throws TimeoutError if it does not answer in time, which does not mean that it is missing
 */
export async function askNeeded(
  needed: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ProgramAnswer> {
  const answer = await askProgram(command, args, { env });
  if (!answer.timedOut) return answer;
  throw new TimeoutError(`${needed} did not answer`, {
    why: `${command} ${args[0] ?? ''} did not end within a minute: is this machine overloaded?`,
    next: ['repeat the command when the machine has less to do'],
  });
}

import { join } from 'node:path';
import { execa } from '../core/exec.ts';
import { UserError } from '../core/errors.ts';

/** Kafka 4 and Spark 4 both need it. */
export const REQUIRED_JAVA = 17;

export interface Java {
  /** The program to run. */
  command: string;
  major: number;
}

/** `17` of `openjdk version "17.0.15" 2025-04-15`, `8` of `java version "1.8.0_392"`; undefined for anything else. */
export function javaMajor(versionText: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(versionText);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/**
 * The Java of `JAVA_HOME`, else the one on PATH.
 *
 * @throws UserError if there is none, or it is too old
 */
export async function requireJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const home = env['JAVA_HOME'];
  const command = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const { stderr, stdout, failed } = await execa(command, ['-version'], {
    reject: false,
    env,
    timeout: 20_000,
  });
  const major = failed ? undefined : javaMajor(`${stderr}\n${stdout}`);
  const next = [
    `install Java ${REQUIRED_JAVA} or later, e.g. apt install openjdk-${REQUIRED_JAVA}-jre-headless`,
    'or point JAVA_HOME at one',
  ];
  if (major === undefined) {
    throw new UserError('Java was not found', { why: `${command} -version did not run.`, next });
  }
  if (major < REQUIRED_JAVA) {
    throw new UserError(`Java ${major} is too old`, {
      why: `Kafka and Spark need ${REQUIRED_JAVA} or later; ${command} is ${major}.`,
      next,
    });
  }
  return { command, major };
}

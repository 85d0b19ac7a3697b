import { REQUIRED, atLeast, javaCommand, javaVersionIn } from '../core/environment/index.ts';
import { UserError } from '../core/errors.ts';
import { askNeeded } from './answer.ts';

export interface Java {
  /** The program to run. */
  command: string;
  /** `17.0.15` */
  version: string;
}

/**
 * The Java of `JAVA_HOME`, else the one on PATH.
 *
 * @throws UserError if there is none, or it is too old; TimeoutError if it does not answer
 */
export async function requireJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const [required] = REQUIRED.java;
  const command = javaCommand(env);
  const { exitCode, output } = await askNeeded('Java', command, ['-version'], env);
  const version = exitCode === 0 ? javaVersionIn(output) : undefined;
  const next = [
    `install Java ${required} or later, e.g. apt install openjdk-${required}-jre-headless`,
    'or point JAVA_HOME at one',
  ];
  if (version === undefined) {
    throw new UserError('Java was not found', { why: `${command} -version did not run.`, next });
  }
  if (!atLeast(version, REQUIRED.java)) {
    const [major = 0] = version;
    throw new UserError(`Java ${major} is too old`, {
      why: `Kafka and Spark need ${required} or later; ${command} is ${major}.`,
      next,
    });
  }
  return { command, version: version.join('.') };
}

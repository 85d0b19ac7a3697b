import { REQUIRED, atLeast, javaCommand, javaVersionIn } from '../../core/environment/index.ts';
import { type Check, type Diagnosis, type Remedy, error, ok, warning } from '../check.ts';
import type { Environment } from '../environment.ts';
import { installCommand } from '../install.ts';

/** The Java that Kafka and Spark use: JAVA_HOME, else the one on PATH. */
export const java: Check = {
  id: 'java',
  title: 'Java',
  category: 'tools',
  about: 'the Java of Kafka and Spark: JAVA_HOME, else PATH',
  async run(environment, signal) {
    const wanted = javaCommand(environment.env);
    const path = environment.find(wanted);
    if (path === undefined) return missing(environment, wanted);
    const { exitCode, output } = await environment.ask(path, ['-version'], signal);
    const version = javaVersionIn(output);
    if (exitCode !== 0 || version === undefined) {
      return {
        summary: 'does not run',
        findings: [error(`${path} -version failed: ${firstLine(output)}`, remedyFor(environment))],
      };
    }
    const summary = version.join('.');
    if (atLeast(version, REQUIRED.java)) return { summary, findings: [ok(path)] };
    const text = `${path} is Java ${summary}; Kafka 4 and Spark 4 need ${REQUIRED.java.join('.')} or later`;
    return { summary, findings: [error(text, remedyFor(environment))] };
  },
};

function missing(environment: Environment, wanted: string): Diagnosis {
  const findings =
    wanted === 'java'
      ? [
          warning(
            'There is no `java` on PATH and no JAVA_HOME: the local stack and Spark cannot start',
            remedyFor(environment),
          ),
        ]
      : [
          error(`JAVA_HOME points to no Java: there is no ${wanted}`, {
            commands: ['unset JAVA_HOME'],
            text: 'Or point it to a Java that is there.',
          }),
        ];
  return { summary: 'not found', findings };
}

function remedyFor(environment: Environment): Remedy {
  const commands = installCommand(environment, {
    apt: 'openjdk-17-jre-headless',
    dnf: 'java-17-openjdk-headless',
    brew: 'openjdk@17',
  });
  return commands.length > 0
    ? { commands }
    : { commands, text: `Install a Java ${REQUIRED.java.join('.')} or later.` };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

import { join } from 'node:path';
import { REQUIRED_JAVA } from '../../stack/java.ts';
import { type Check, type Diagnosis, type Remedy, error, ok, warning } from '../check.ts';
import type { Environment } from '../environment.ts';
import { installCommand } from '../install.ts';
import { atLeast, versionIn } from '../versions.ts';

/** The Java that Kafka and Spark use: JAVA_HOME, else the one on PATH. */
export const java: Check = {
  id: 'java',
  title: 'Java',
  category: 'tools',
  about: 'the Java of Kafka and Spark: JAVA_HOME, else PATH',
  async run(environment, signal) {
    const home = environment.env['JAVA_HOME'];
    const wanted = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
    const path = await environment.find(wanted);
    if (path === undefined) return missing(environment, wanted);
    const { exitCode, output } = await environment.ask(path, ['-version'], signal);
    // `openjdk version "17.0.13" 2024-10-15`; up to Java 8 the number began with "1."
    const quoted = /version "(?:1\.)?([\d.]+)/.exec(output)?.[1];
    const version = quoted === undefined ? undefined : versionIn(quoted);
    if (exitCode !== 0 || version === undefined) {
      return {
        summary: 'does not run',
        findings: [error(`${path} -version failed: ${firstLine(output)}`, await remedyFor(environment))],
      };
    }
    const summary = version.join('.');
    if (atLeast(version, [REQUIRED_JAVA])) return { summary, findings: [ok(path)] };
    const text = `${path} is Java ${summary}; Kafka 4 and Spark 4 need ${REQUIRED_JAVA} or later`;
    return { summary, findings: [error(text, await remedyFor(environment))] };
  },
};

async function missing(environment: Environment, wanted: string): Promise<Diagnosis> {
  const findings =
    wanted === 'java'
      ? [
          warning(
            'There is no `java` on PATH and no JAVA_HOME: the local stack and Spark cannot start',
            await remedyFor(environment),
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

async function remedyFor(environment: Environment): Promise<Remedy> {
  const commands = await installCommand(environment, {
    apt: 'openjdk-17-jre-headless',
    dnf: 'java-17-openjdk-headless',
    brew: 'openjdk@17',
  });
  return commands.length > 0 ? { commands } : { commands, text: `Install a Java ${REQUIRED_JAVA} or later.` };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

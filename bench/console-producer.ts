import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../src/core/exec.ts';
import { cacheDirectory } from '../src/core/paths.ts';
import { KAFKA_VERSION } from '../src/stack/distribution.ts';
import { installOnce } from '../src/stack/install.ts';
import { pomOf } from '../src/stack/pom.ts';

const ARTIFACTS = [
  { group: 'org.apache.kafka', artifact: 'kafka-tools', version: KAFKA_VERSION },
  { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
];

/**
 * Kafka's own console producer as an argv, but for its arguments. It is no part of what a broker needs: its jars are fetched by Maven
 * once, into the user's cache.
 *
 * @returns undefined where they cannot be fetched
 */
export async function consoleProducer(say: (text: string) => void): Promise<string[] | undefined> {
  const directory = join(cacheDirectory(), `kafka-tools-${KAFKA_VERSION}`);
  try {
    await installOnce(directory, async (temporary) => {
      say("fetching Kafka's console producer");
      const [pom, lib] = [join(temporary, 'pom.xml'), join(temporary, 'lib')];
      await mkdir(lib);
      await writeFile(pom, pomOf('console-producer', ARTIFACTS));
      const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
      await execa('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goal], { stdin: 'ignore' });
    });
  } catch (error) {
    say(`Kafka's console producer cannot be fetched: ${String(error)}`);
    return undefined;
  }
  return [
    'java',
    // As kafka-console-producer.sh does.
    '-Xmx512M',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    join(directory, 'lib', '*'),
    'org.apache.kafka.tools.ConsoleProducer',
  ];
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A Java and a Kafka that start as a test wants them to: `JAVA_HOME` and `KAFKA_HOME` for the environment of what starts
 * a broker. Once the broker runs, the script has `log(text)` and `listen()`, on the port that it was given.
 *
 * @param script JavaScript, what the broker does
 */
export async function fakeKafka(folder: string, script: string): Promise<Record<string, string>> {
  const java = join(folder, 'java', 'bin', 'java');
  await mkdir(join(folder, 'java', 'bin'), { recursive: true });
  await mkdir(join(folder, 'kafka', 'libs'), { recursive: true });
  await writeFile(join(folder, 'kafka', 'libs', 'kafka_2.13-4.3.1.jar'), '');
  await writeFile(java, `#!${process.execPath}\n${JAVA}\nif (isBroker) { ${script} }\n`, { mode: 0o755 });
  return { JAVA_HOME: join(folder, 'java'), KAFKA_HOME: join(folder, 'kafka') };
}

const JAVA = `
const words = process.argv.slice(2);
if (words[0] === '-version') console.log('openjdk version "17.0.13" 2024-10-15');
const isBroker = words.includes('kafka.Kafka');
const log = (text) => console.log(text);
const listen = () => {
  const text = require('node:fs').readFileSync(words.at(-1), 'utf8');
  const port = Number(/^advertised\\.listeners=.*:(\\d+)/m.exec(text)[1]);
  require('node:net').createServer((socket) => socket.on('error', () => undefined)).listen(port, '127.0.0.1');
};`;

/** A stream-etl project beside a test's Kafka: it is fed, its client is started, and its landings are waited for. */
import { join } from 'node:path';
import { parsePlainJson } from '../../src/core/json.ts';
import { announced } from './announced.ts';
import { type TestClient, type TestProject, httpGet, until } from './project.ts';
import { type StreamEvent, type StreamProject, produce, scaffoldStream } from './stream-etl.ts';

/** Two Sparks start in twenty seconds where nothing else runs. */
export const PATIENCE = 600_000;

const NO_JOB = 'none: { needs: [{ table: no.table }], run: ./job.sh }';
const CLIENT = 'client: { session_timeout: 6s, kill_grace: 1s, http: { port: 0 } }';

export interface StreamFixture {
  project: TestProject;
  stream: StreamProject;
  client: () => TestClient;
  send: (...records: (StreamEvent | string)[]) => Promise<void>;
}

/** @param given answers besides those of the sample */
export async function streamFixture(
  makeProject: (jobs: string) => Promise<TestProject>,
  given: Record<string, string> = {},
): Promise<StreamFixture> {
  const project = await makeProject(NO_JOB);
  const topic = `${project.prefix}events`;
  const sections = `topics: { prefix: "${project.prefix}" }\n${CLIENT}\n`;
  const stream = await scaffoldStream(join(project.directory, 'clicks'), { topic, sections, given });
  const up = await project.hippo(['up'], { cwd: stream.folder });
  if (up.exitCode !== 0) throw new Error(`hippo up: ${up.stderr}`);
  return {
    project,
    stream,
    client: () => project.startClient(stream.env, stream.folder),
    send: (...records) => produce(project.brokers, topic, records),
  };
}

/** Events of an hour of 1 March 2024, a minute apart. */
export const eventsOf = (hour: string, count: number, name = hour): StreamEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    time: `2024-03-01T${hour}:${String(index % 60).padStart(2, '0')}:00Z`,
  }));

/** The partitions of hours of that day. */
export const hoursOf = (...names: string[]): string[] => names.map((name) => `dt=2024-03-01/hour=${name}`);

/** The process of a service; 0 where it has none. */
export async function pidOf(client: TestClient, service: string): Promise<number> {
  const { text } = await httpGet(client, '/readyz');
  const { services } = parsePlainJson(text) as { services: { name: string; pid: number | null }[] };
  return services.find(({ name }) => name === service)?.pid ?? 0;
}

export const landed = (project: TestProject, count: number): Promise<unknown> =>
  until(async () => (await announced(project)).length >= count, `${count} landings`, PATIENCE);

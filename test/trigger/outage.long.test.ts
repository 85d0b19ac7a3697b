import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { startHippo } from '../support/cli.ts';
import { until } from '../support/project.ts';
import { World } from '../torture/world.ts';

const EVENTS = 600_000;
/** When the broker is ended: some are written, and many are not. */
const SOME = 60_000;

let world: World;
let file: string;
let [connectPatiently, connectBriefly] = ['', ''];

beforeAll(async () => {
  world = await World.create();
  file = join(world.folder, 'events.jsonl');
  await writeFile(file, Array.from({ length: EVENTS }, (_, index) => event(index)).join(''));
  connectPatiently = join(world.folder, 'patient.yaml');
  connectBriefly = join(world.folder, 'brief.yaml');
  await writeFile(connectPatiently, 'kafka: { connect_timeout: 90s }\n');
  await writeFile(connectBriefly, 'kafka: { connect_timeout: 1s }\n');
});
afterAll(() => world.close());

function event(index: number): string {
  return `{"table":"t${index % 97}","partition":[{"name":"yyyymm","value":"201704"}],"db":"btd","method":"partition","exec_date":"${index}"}\n`;
}

/** A topic with four partitions, and the prefix of its name. */
async function makeTopic(name: string): Promise<{ topic: string; env: Record<string, string> }> {
  const topic = `${name}-frontier-adw`;
  await world.kafka.createTopics([{ topic, partitions: 4, replicationFactor: 1, config: {} }]);
  return { topic, env: { HIPPO_TOPICS_PREFIX: `${name}-`, HIPPO_BROKERS: world.address, HIPPO_PROFILE: '' } };
}

async function written(topic: string): Promise<number> {
  const ranges = await world.kafka.offsets(topic);
  return ranges.reduce((sum, { high }) => sum + Number(high), 0);
}

/** The numbers of the events in each partition, in the order of their offsets, as kcat reads them. */
async function numbers(topic: string): Promise<number[][]> {
  const args = ['-b', world.address, '-C', '-t', topic, '-e', '-q', '-f', '%p %s\\n'];
  const { stdout } = await execa('kcat', args);
  const partitions: number[][] = [[], [], [], []];
  for (const line of stdout.split('\n')) {
    partitions[Number(line[0])]?.push(Number(/"exec_date":"(\d+)"/.exec(line)?.[1]));
  }
  return partitions;
}

describe('a broker that goes down while a file is published', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'and comes back, by %s: nothing is lost, doubled or out of order',
    async (how) => {
      const { topic, env } = await makeTopic(how.toLowerCase());
      const running = startHippo(['trigger', '--file', 'events.jsonl'], {
        cwd: world.folder,
        env: { ...env, HIPPO_CONFIG: connectPatiently },
      });
      await until(async () => (await written(topic)) >= SOME, 'some events are published');
      const restarted = world.restartBroker(how, 500);
      const before = await Promise.race([running.then(() => 'ended'), sleep(100, 'goes on')]);
      await restarted;
      expect(before).toBe('goes on');
      const { exitCode, stdout, stderr } = await running;
      expect({ exitCode, stdout, stderr }).toMatchObject({
        exitCode: 0,
        stdout: `✓ Published 600,000 events of events.jsonl.\n`,
      });
      const partitions = await numbers(topic);
      for (const partition of partitions) expect(partition).toEqual(partition.toSorted((a, b) => a - b));
      expect(new Set(partitions.flat()).size).toBe(EVENTS);
      expect(partitions.flat()).toHaveLength(EVENTS);
    },
  );

  test('and stays down: the command ends, and says from which line to go on', async () => {
    const { topic, env } = await makeTopic('away');
    const running = startHippo(['trigger', '--file', 'events.jsonl'], {
      cwd: world.folder,
      env: { ...env, HIPPO_CONFIG: connectBriefly },
    });
    await until(async () => (await written(topic)) >= SOME, 'some events are published');
    const restarted = world.restartBroker('SIGKILL', running);
    const { exitCode, stdout, stderr } = await running;
    await restarted;
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain(`✗ Kafka cannot be reached at ${world.address}`);
    const [, safe] =
      /All events up to line (\d+) are published; some after it may be too\./.exec(stderr) ?? [];
    const [, line = ''] = /hippo trigger --file events.jsonl --from-line (\d+)\n/.exec(stderr) ?? [];
    expect(Number(line), stderr).toBe(Number(safe) + 1);
    expect(Number(safe)).toBeGreaterThan(1_000);

    const resumed = await startHippo(['trigger', '--file', 'events.jsonl', '--from-line', line], {
      cwd: world.folder,
      env: { ...env, HIPPO_CONFIG: connectPatiently },
    });
    expect(resumed).toMatchObject({ exitCode: 0 });
    const partitions = await numbers(topic);
    expect(new Set(partitions.flat()).size).toBe(EVENTS);
    // What was said to be published is not published again.
    expect(partitions.flat().filter((index) => index < Number(safe))).toHaveLength(Number(safe));
  });
});

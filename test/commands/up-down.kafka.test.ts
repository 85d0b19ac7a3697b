import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { readStackFile, writeStackFile } from '../../src/config/stack-file.ts';
import { newId } from '../../src/core/ids.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { DownResult } from '../../src/stack/down.ts';
import { findBroker, stopBroker } from '../../src/stack/found-broker.ts';
import { isAlive } from '../../src/core/environment/index.ts';
import type { UpResult } from '../../src/stack/up.ts';
import { makeFolder } from '../support/folder.ts';
import { testBrokers } from '../support/brokers.ts';
import { hippo, hippoJson } from '../support/cli.ts';

const TOPICS = [
  'frontier-adw',
  'hippo-start',
  'hippo-finish',
  'hippo-schedule',
  'service-health',
  'hippo-state',
];

let project: string;
let kafkaFolder: string;
beforeAll(async () => {
  project = await makeFolder('up');
  kafkaFolder = join(project, '.hippo', 'kafka');
});
afterAll(async () => {
  await stopBroker(kafkaFolder);
  await rm(project, { recursive: true, force: true });
});

// Whatever Kafka the test machine has configured for itself is not meant here.
const env = { HIPPO_BROKERS: '', HIPPO_CONFIG: '' };

async function up(...flags: string[]): Promise<UpResult> {
  const { exitCode, json, stderr } = await hippoJson(['up', '--no-spark', ...flags], {
    cwd: project,
    env,
    timeout: 240_000,
  });
  expect(exitCode, stderr).toBe(0);
  return json as UpResult;
}

async function down(...flags: string[]): Promise<DownResult> {
  const { exitCode, json, stderr } = await hippoJson(['down', ...flags], { cwd: project, env });
  expect(exitCode, stderr).toBe(0);
  return json as DownResult;
}

async function topicsOf(brokers: string[]): Promise<string[]> {
  const kafka = await connectKafka({ brokers, settings: parseConfig({}).kafka });
  try {
    return (await kafka.topics()).map(({ topic }) => topic);
  } finally {
    await kafka.close();
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('the life of a local stack', () => {
  test('a dry run changes nothing', async () => {
    const { json } = await hippoJson(['up', '--dry-run', '--no-spark'], { cwd: project, env });
    expect(json).toMatchObject({
      dry_run: true,
      steps: expect.arrayContaining([
        { title: expect.stringMatching(/^start Kafka/) as string, skip: null },
      ]) as unknown[],
    });
    await expect(readdir(project)).resolves.toEqual([]);
  });

  test('up starts a broker that has the topics and no other', async () => {
    const result = await up();
    expect(result).toMatchObject({ started: true, topics: { present: [] } });
    expect(result.topics.created).toEqual(expect.arrayContaining(TOPICS));
    // The topic of the readiness proof is gone again.
    expect((await topicsOf(result.brokers)).sort()).toEqual([...result.topics.created].sort());
    expect(readStackFile(project)).toMatchObject({
      brokers: result.brokers,
      kafka: { pid: result.kafka?.pid },
    });
  });

  test('a second up says that it is up, and what to type next', async () => {
    const before = await findBroker(kafkaFolder);
    const { exitCode, stdout } = await hippo(['up', '--no-spark'], { cwd: project, env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^✓ Kafka \S+ is already up at 127\.0\.0\.1:\d+\n/);
    expect(stdout).toContain('hippo down');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    await expect(findBroker(kafkaFolder)).resolves.toEqual(before);
  });

  test('up in a folder below uses the same stack', async () => {
    const below = join(project, 'etl');
    await mkdir(below);
    const { json } = await hippoJson(['up', '--no-spark'], { cwd: below, env });
    expect(json).toMatchObject({ started: false, directory: project });
    expect(existsSync(join(below, '.hippo'))).toBe(false);
  });

  test('a lost or damaged stack.json is written again; the broker goes on', async () => {
    const before = readStackFile(project);
    const file = join(project, '.hippo', 'stack.json');
    await writeFile(file, '{"version":');
    await expect(up()).resolves.toMatchObject({ started: false, kafka: { pid: before?.kafka?.pid } });
    await rm(file);
    await expect(up()).resolves.toMatchObject({ started: false, kafka: { pid: before?.kafka?.pid } });
    expect(readStackFile(project)).toMatchObject({ kafka: before?.kafka });
  });

  test('another port than the present one is refused while it runs', async () => {
    const { exitCode, json } = await hippoJson(['up', '--no-spark', '--port', '1'], { cwd: project, env });
    expect(exitCode).toBe(2);
    expect(json).toMatchObject({
      error: {
        message: expect.stringMatching(/already up, on port \d+/) as string,
        next: ['hippo down', 'then hippo up --port 1'],
      },
    });
  });

  test('after a crash up starts it again: same port, same topics', async () => {
    const before = readStackFile(project);
    process.kill(before!.kafka!.pid, 'SIGKILL');
    const result = await up();
    expect(result).toMatchObject({ started: true, brokers: before?.brokers, topics: { created: [] } });
    expect(result.kafka?.pid).not.toBe(before?.kafka?.pid);
  });

  test('down leaves no process and keeps the data; a second down finds nothing', async () => {
    const stack = readStackFile(project);
    const result = await down();
    expect(result).toMatchObject({
      outcome: 'stopped',
      kafka: { pid: stack?.kafka?.pid },
      clients: [],
      data: kafkaFolder,
    });
    await expect(isAlive(stack!.kafka!.pid)).resolves.toBe(false);
    await expect(isOpen(stack!.kafka!.port)).resolves.toBe(false);
    expect(readStackFile(project)).toBeNull();
    await expect(down()).resolves.toMatchObject({ outcome: 'gone', kafka: null });
  });

  test('of several up at once one starts the broker', async () => {
    const results = await Promise.all([up(), up(), up()]);
    expect(new Set(results.map(({ kafka }) => kafka?.pid)).size).toBe(1);
    await expect(findBroker(kafkaFolder)).resolves.toMatchObject({ pid: results[0].kafka?.pid });
  });

  test('a process that got the id of our broker is left alone', async () => {
    await down();
    const stack = {
      version: 1,
      brokers: ['127.0.0.1:9'],
      kafka: {
        pid: process.pid,
        port: 9,
        dataDirectory: join(kafkaFolder, 'data'),
        logFile: join(kafkaFolder, 'broker.log'),
        version: '4.3.1',
      },
      spark: null,
      startedAt: new Date().toISOString(),
    } as const;
    await writeStackFile(project, { ...stack, brokers: [...stack.brokers] });
    // That this test goes on is the proof.
    await expect(down()).resolves.toMatchObject({ outcome: 'gone' });
    expect(readStackFile(project)).toBeNull();
  });

  test('a purge needs a yes, and then leaves nothing', async () => {
    const refused = await hippo(['down', '--purge'], { cwd: project, env });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('hippo down --purge --yes');
    expect(existsSync(kafkaFolder)).toBe(true);
    await expect(down('--purge', '--yes')).resolves.toMatchObject({ data: null });
    await expect(readdir(project)).resolves.toEqual(['etl']);
  });
});

test('with configured brokers up starts nothing and makes the topics', async () => {
  const folder = await makeFolder('up');
  const prefix = `up-${newId()}-`;
  try {
    await writeFile(
      join(folder, 'hippo.yaml'),
      `kafka:\n  brokers: ${JSON.stringify(await testBrokers())}\ntopics:\n  prefix: ${prefix}\n`,
    );
    const { exitCode, json } = await hippoJson(['up'], { cwd: folder, env });
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      started: false,
      kafka: null,
      configured: { from: 'configuration', place: { line: 2 } },
    });
    expect(await topicsOf(await testBrokers())).toEqual(
      expect.arrayContaining(TOPICS.map((topic) => `${prefix}${topic}`)),
    );
    await expect(readdir(folder)).resolves.toEqual(['hippo.yaml']);
    await expect(readFile(join(folder, 'hippo.yaml'), 'utf8')).resolves.toContain(prefix);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

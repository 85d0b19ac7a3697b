import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import { makeFolder } from '../support/folder.ts';
import { testBrokers } from '../support/brokers.ts';
import { HIPPO, hippo, startHippo } from '../support/cli.ts';
import { readAll, testKafka } from '../support/kafka.ts';
import { atTerminal } from '../support/terminal.ts';

let cwd: string;
let env: Record<string, string>;
beforeEach(async () => {
  cwd = await makeFolder('around');
  env = { HIPPO_BROKERS: (await testBrokers()).join(','), HIPPO_CONFIG: '', HIPPO_PROFILE: '' };
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** A command line in bash, `hippo` standing for the built CLI. */
function bash(
  line: string,
  more: Record<string, string> = {},
): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
  const script = `hippo() { '${process.execPath}' '${HIPPO}' "$@"; }\n${line}`;
  return execa('bash', ['-c', script], { cwd, env: { ...env, ...more }, reject: false, timeout: 120_000 });
}

describe('a reader that goes away', () => {
  test('does not end what publishes: all of a backfill is sent', async () => {
    const kafka = await testKafka();
    const prefix = `${newId()}-`;
    const topic = `${prefix}frontier-adw`;
    await kafka.createTopics([{ topic, partitions: 1, replicationFactor: 1, config: {} }]);
    const range = `--table a.b --partition d=%F --range 2024-01-01..2024-01-20 --rate 50/s`;
    const { stdout } = await bash(`hippo trigger ${range} | head -n 1; echo "\${PIPESTATUS[0]}"`, {
      HIPPO_TOPICS_PREFIX: prefix,
    });
    expect(stdout).toMatch(/^✓ {2}1\/20 [^]*\n0$/);
    expect(await readAll(kafka, topic)).toHaveLength(20);
  });

  test('ends what only prints, quietly', async () => {
    const range = '--table a.b --partition d=%F --range 1824-01-01..2024-01-20 --dry-run';
    const { stdout, stderr } = await bash(`hippo trigger ${range} | head -n 1; echo "\${PIPESTATUS[0]}"`);
    expect([stdout, stderr]).toEqual(['Nothing is published.\n0', '']);
  });
});

test.each(['config', 'schema', '--help', 'trigger --table a.b --partition c=d --dry-run'])(
  'a full disk is told in two lines: hippo %s',
  async (words) => {
    const { stderr, exitCode } = await bash(`hippo ${words} > /dev/full`);
    expect([exitCode, stderr]).toEqual([
      2,
      '✗ cannot write to stdout\n  ENOSPC: no space left on device, write',
    ]);
  },
);

test('a cache that cannot be made is told with what to do about it', async () => {
  const cache = join(cwd, 'file', 'cache');
  await writeFile(join(cwd, 'file'), '');
  const { exitCode, stderr } = await hippo(['up', '--no-spark'], {
    cwd,
    env: { ...env, HIPPO_BROKERS: '', HIPPO_CACHE: cache, KAFKA_HOME: '' },
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`✗ ${cache} cannot be used: a part of the path is not a folder\n`);
  expect(stderr).toContain('→ HIPPO_CACHE=FOLDER hippo …');
});

test.each([
  ['', '\u001B[31m✗'],
  ['1', '✗'],
])('NO_COLOR=%j at a terminal', async (value, start) => {
  const terminal = atTerminal('nope', { cwd, env: { ...env, NO_COLOR: value } });
  expect(await terminal.ended).toBe(2);
  expect(terminal.raw().startsWith(start)).toBe(true);
});

describe('Ctrl-C while a broker does not answer', () => {
  test.each(['tail', 'tractor', 'run', 'doctor'])('hippo %s', async (command) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await writeFile(
      join(cwd, 'hippo.yaml'),
      'name: sales\nkafka: { connect_timeout: 10m }\njobs: { load: { needs: [{ table: a.b }], run: /bin/true } }\n',
    );
    const { port } = server.address() as AddressInfo;
    const child = startHippo([command], { cwd, env: { ...env, HIPPO_BROKERS: `127.0.0.1:${port}` } });
    await expect.poll(() => sockets.length).toBeGreaterThan(0);
    await sleep(200);
    // It would wait for the broker for longer than this test may take.
    child.kill('SIGINT');
    expect(await child).toMatchObject({ exitCode: 130 });
  });
});

test('a client with hooks prints no warning of Node', async () => {
  await mkdir(join(cwd, 'client-app'));
  await writeFile(join(cwd, 'client-app', 'client.mjs'), 'export default { beforeSubmit: () => undefined };');
  await writeFile(
    join(cwd, 'hippo.yaml'),
    'name: hooked\njobs: { load: { needs: [{ table: btd.party }], run: /bin/true } }\n',
  );
  const { stderr } = await hippo(['run', '--once'], { cwd, env: { ...env, HIPPO_BROKERS: '127.0.0.1:1' } });
  expect(stderr).toMatch(/^✗ Kafka cannot be reached/);
  expect(stderr).not.toContain('Warning');
});

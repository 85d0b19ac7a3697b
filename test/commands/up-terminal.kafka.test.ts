import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBroker, stopBroker } from '../../src/stack/found-broker.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/project.ts';
import { CTRL_C, atTerminal } from '../support/terminal.ts';

// The Kafka that the test machine has configured for itself is not used.
const env = { HIPPO_BROKERS: '', HIPPO_CONFIG: '' };

let folder: string;
beforeEach(async () => {
  folder = await makeFolder('up');
});
afterEach(async () => {
  await stopBroker(join(folder, '.hippo', 'kafka'));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('at a terminal the list of steps is drawn on stderr; stdout has the result alone', async () => {
  const terminal = atTerminal('up --no-spark --json > result.json', { cwd: folder, env });
  expect(await terminal.ended, terminal.text()).toBe(0);
  expect(terminal.text()).toContain('✔ start Kafka');
  expect(JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'))).toMatchObject({ started: true });
});

test('Ctrl-C at a terminal ends up with 130, and what it has started', async () => {
  const terminal = atTerminal('up --no-spark', { cwd: folder, env });
  const kafka = join(folder, '.hippo', 'kafka');
  await until(() => findBroker(kafka), 'a broker process is there');
  terminal.type(CTRL_C);
  expect(await terminal.ended, terminal.text()).toBe(130);
  expect(await findBroker(kafka)).toBeNull();
});

#!/usr/bin/env node
// Behaves as the client of spark-submit does in YARN's cluster mode: submits (to a FakeYarn), logs what the real one logs on
// stderr, watches the application and exits with 0 or 1 by its end. FAKE_YARN is the address of the resource manager.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';
import type { FakeApplication } from './fake-yarn.ts';

const yarn = process.env['FAKE_YARN'] ?? '';
const settings = new Map(
  process.argv
    .filter((_, index) => process.argv[index - 1] === '--conf')
    .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
);

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}

function log(level: string, logger: string, text: string): void {
  print(`26/01/31 12:00:00 ${level} ${logger}: ${text}`);
}

function fail(message: string): never {
  print(`Exception in thread "main" org.apache.spark.SparkException: ${message}`);
  process.exit(1);
}

async function report(id: string): Promise<FakeApplication> {
  try {
    const response = await fetch(`${yarn}/ws/v1/cluster/apps/${id}`);
    return ((await response.json()) as { app: FakeApplication }).app;
  } catch (error) {
    log('ERROR', 'Client', `Failed to contact YARN for application ${id}.`);
    print(`java.net.ConnectException: ${messageOf(error)}`);
    fail(`Application ${id} finished with failed status`);
  }
}

const tags = encodeURIComponent(settings.get('spark.yarn.tags') ?? '');
const submitted = await fetch(`${yarn}/submit?tags=${tags}`, { method: 'POST' });
const { id } = (await submitted.json()) as FakeApplication;
log('INFO', 'Client', `Submitting application ${id} to ResourceManager`);
log('INFO', 'YarnClientImpl', `Submitted application ${id}`);
if (settings.get('spark.yarn.submit.waitAppCompletion') === 'false') process.exit(0);

for (;;) {
  await sleep(20);
  const { state, finalStatus } = await report(id);
  log('INFO', 'Client', `Application report for ${id} (state: ${state})`);
  if (state === 'KILLED') fail(`Application ${id} is killed`);
  if (state === 'FAILED' || finalStatus === 'FAILED') fail(`Application ${id} finished with failed status`);
  if (state === 'FINISHED') process.exit(0);
}

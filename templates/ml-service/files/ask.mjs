#!/usr/bin/env node
/**
 * Asks the API: `node ask.mjs [= request =]`. It finds the port in the log of the service, and waits until a model is served. A
 * second argument is the JSON of a POST.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOGS = new URL('.hippo/logs/api/', import.meta.url);
const PATIENCE = 60_000;

const [path = '[= request =]', body] = process.argv.slice(2);

/** The address that the newest process of the API has printed. */
function address() {
  const logs = readdirSync(LOGS).map((name) => new URL(name, LOGS));
  logs.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  const found = logs.length === 0 ? null : readFileSync(logs[0], 'utf8').match(/https?:\/\/[\w.:[\]-]+:\d+/g);
  if (found === null) throw new Error(`no log in ${LOGS.pathname} has an address`);
  return found.at(-1);
}

async function ask() {
  const options = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const answer = await fetch(new URL(path, address()), options);
  return { status: answer.status, text: await answer.text() };
}

const end = Date.now() + PATIENCE;
for (;;) {
  const answer = await ask().catch((error) => ({ status: 503, text: error.cause?.message ?? error.message }));
  if (answer.status !== 503 || Date.now() > end) {
    (answer.status === 200 ? console.log : console.error)(answer.text);
    process.exitCode = answer.status === 200 ? 0 : 1;
    break;
  }
  await sleep(500);
}

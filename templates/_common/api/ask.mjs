#!/usr/bin/env node
/**
 * Asks the API, and waits until it is ready: `node ask.mjs '[= request =]'`. A second argument is the JSON of a POST.
 */
[%- if port == 'auto' %]
import { readFileSync, readdirSync, statSync } from 'node:fs';
[%- endif %]
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 60_000;
[%- if port == 'auto' %]
const LOGS = new URL('.hippo/logs/api/', import.meta.url);

/** The address that the newest process of the API has printed. */
function address() {
  const logs = readdirSync(LOGS).map((name) => new URL(name, LOGS));
  logs.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const log of logs) {
    const [last] = [...readFileSync(log, 'utf8').matchAll(/listening at (https?:[^"\s]+)/g)].slice(-1);
    if (last !== undefined) return last[1];
  }
  throw new Error(`no log in ${LOGS.pathname} has an address`);
}
[%- else %]
const address = () => 'http://127.0.0.1:[= port =]';
[%- endif %]

const [path = '[= request =]', body] = process.argv.slice(2);
const options = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body };

async function ask() {
  try {
    const answer = await fetch(new URL(path, address()), options);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { status: 503, text: error.cause?.message ?? error.message };
  }
}

const end = Date.now() + PATIENCE;
let answer = await ask();
while (answer.status === 503 && Date.now() < end) {
  await sleep(500);
  answer = await ask();
}
(answer.status === 200 ? console.log : console.error)(answer.text.trimEnd());
process.exitCode = answer.status === 200 ? 0 : 1;

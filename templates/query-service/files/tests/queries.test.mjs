/** Starts the service in a copy of this project with a sample, and asks it. It needs no Kafka. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

const PROJECT = join(import.meta.dirname, '..');
const FOLDER = mkdtempSync(join(tmpdir(), 'queries-'));
let service;
let url;

before(async () => {
  for (const file of ['hippo.yaml', 'land-orders.sh']) cpSync(join(PROJECT, file), join(FOLDER, file));
  for (const day of ['2026-01-01', '2026-01-02'])
    execFileSync(join(FOLDER, 'land-orders.sh'), [day], { cwd: FOLDER });
  // Port 0: any free one. Its log says which.
  service = spawn(process.env.HIPPO ?? 'hippo', ['serve'], {
    cwd: FOLDER,
    env: { ...process.env, HIPPO_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(service.stdout)) {
    const { address } = JSON.parse(line);
    if (address === undefined) continue;
    url = `http://${address}`;
    break;
  }
  assert.ok(url, 'the service has ended before it listened');
  service.stdout.resume();
});

after(async () => {
  if (service?.exitCode === null) {
    service.kill('SIGTERM');
    await once(service, 'exit');
  }
  rmSync(FOLDER, { recursive: true });
});

const ask = async (path) => {
  const answer = await fetch(url + path);
  return { status: answer.status, body: await answer.json() };
};

test('the orders of a day come in pages', async () => {
  const first = await ask('/orders?day=2026-01-02&limit=4');
  assert.deepEqual(first.body.rows[0], {
    ...{ order_id: 1, dt: '2026-01-02', customer: 'bob', city: 'oslo', amount: '12.25' },
  });
  const second = await ask(`/orders?day=2026-01-02&limit=4&cursor=${first.body.next}`);
  assert.deepEqual(
    second.body.rows.map(({ order_id }) => order_id),
    [5, 6],
  );
  assert.equal(second.body.next, null);
});

test('what a customer has ordered', async () => {
  assert.deepEqual(await ask('/customers/ada'), {
    status: 200,
    body: { customer: 'ada', orders: 4, amount: '220.50', last_day: '2026-01-02' },
  });
  assert.equal((await ask('/customers/zoe')).status, 404);
});

test('a wrong value is refused', async () => {
  const { status, body } = await ask('/orders?day=tomorrow');
  assert.equal(status, 400);
  assert.equal(body.detail, 'query /day must be a date such as 2026-01-31');
});

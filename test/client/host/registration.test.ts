import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type Registration, register } from '../../../src/client/host/registration.ts';

/** No process has this id: Linux and macOS give lower ones. */
const GONE = 2 ** 30;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-registration-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

const client = (pid: number): Registration => ({
  pid,
  hippo: 'load',
  startedAt: '2026-01-01T00:00:00.000Z',
  http: null,
});
const files = async (): Promise<string[]> => (await readdir(join(folder, '.hippo'))).sort();
const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, '.hippo', name), 'utf8'));

it('a client is known by .hippo/client.json while it lives', async () => {
  const remove = register(folder, client(process.pid));
  expect(await files()).toEqual(['client.json']);
  expect(await read('client.json')).toEqual(client(process.pid));
  remove();
  remove();
  expect(await files()).toEqual([]);
});

it('a second client, which stands by, has a file of its own', async () => {
  // A process that lives, and is not this one.
  const first = register(folder, client(process.ppid));
  const second = register(folder, client(process.pid));
  expect(await files()).toEqual(['client.json', `client-${process.pid}.json`].sort());
  first();
  expect(await files()).toEqual([`client-${process.pid}.json`]);
  second();
  expect(await files()).toEqual([]);
});

it('what killed clients have left is removed', async () => {
  register(folder, client(GONE));
  for (const name of [`client-${GONE}.json`, `client-${GONE + 1}.draft`])
    await writeFile(join(folder, '.hippo', name), '{');
  await writeFile(join(folder, '.hippo', 'stack.json'), '{}');
  register(folder, client(process.pid));
  expect(await files()).toEqual(['client.json', 'stack.json']);
  expect(await read('client.json')).toEqual(client(process.pid));
});

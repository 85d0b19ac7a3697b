import { dirname } from 'node:path';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { stack } from '../../../src/doctor/checks/stack.ts';
import { jarPath } from '../../../src/stack/jars.ts';
import { lines, never, newMachine } from '../machine.ts';

afterEach(() => vi.unstubAllEnvs());

it('is skipped where hippo.yaml names nothing besides Kafka', async () => {
  await using machine = await newMachine();
  await machine.file('hippo.yaml', 'name: etl\n');
  expect(lines(await stack.run(await machine.environment(), never))).toEqual([
    'skipped: hippo.yaml has neither stack.with nor stack.jars',
  ]);
});

it('says that no PostgreSQL runs, and that one does not answer', async () => {
  await using machine = await newMachine();
  await machine.file('hippo.yaml', 'stack: { with: [postgres] }\n');
  const missing = await stack.run(await machine.environment(), never);
  expect(missing.findings).toEqual([
    {
      status: 'error',
      text: 'No PostgreSQL runs here, and $DATABASE_URL is not set',
      remedy: { commands: ['hippo up'] },
    },
  ]);
  const away = await machine.environment({ DATABASE_URL: 'postgres://ann:swordfish@127.0.0.1:1/shop' });
  expect(lines(await stack.run(away, never))).toEqual([
    'error: The PostgreSQL at postgres://127.0.0.1:1/shop cannot be used. Connect ECONNREFUSED 127.0.0.1:1',
  ]);
});

it('says which jars are not fetched, or not noted', async () => {
  await using machine = await newMachine();
  vi.stubEnv('HIPPO_CACHE', machine.bin);
  const coordinates = 'org.example:thing:1.0';
  await machine.file('hippo.yaml', `stack: { jars: ["${coordinates}"] }\n`);
  const found = async () => lines(await stack.run(await machine.environment(), never));
  expect(await found()).toEqual(['warning: Jars of stack.jars are not fetched: org.example:thing:1.0']);
  const jar = jarPath(coordinates);
  await mkdir(dirname(jar), { recursive: true });
  await writeFile(jar, '');
  expect(await found()).toEqual(['warning: The jars of stack.jars are not those in .hippo/stack.json']);
  const noted = { version: 1, brokers: [], kafka: null, spark: null, sparkJars: jar, startedAt: '' };
  await machine.file('.hippo/stack.json', JSON.stringify(noted));
  expect(await found()).toEqual(['ok: Jars: org.example:thing:1.0']);
  await rm(jar);
});

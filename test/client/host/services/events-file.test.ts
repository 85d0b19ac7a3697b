import { existsSync } from 'node:fs';
import { appendFile, mkdtempDisposable, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import {
  followEvents,
  leftEventsFiles,
  newEventsFile,
} from '../../../../src/client/host/services/events-file.ts';
import type { ToldEvent } from '../../../../src/client/machine/index.ts';

/** Waits for as long as a slow machine may take. */
const until = (isSo: () => unknown): Promise<unknown> => vi.waitUntil(isSo, { timeout: 60_000 });

const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'hippo-events-'));

function line(id: string): string {
  return `{"id":"${id}","table":"btd.party","partition":{"dt":"${id}"}}\n`;
}

function follower(tell?: (events: readonly ToldEvent[]) => Promise<void>) {
  const told: string[] = [];
  const refused: string[] = [];
  return {
    told,
    refused,
    options: {
      tell: async (events: readonly ToldEvent[]) => {
        await tell?.(events);
        told.push(...events.map(({ id }) => id));
      },
      onRefused: (text: string) => void refused.push(text),
    },
  };
}

it('tells lines as they come, each once, and at the end the last one without a line break', async () => {
  await using folder = await makeFolder();
  const path = newEventsFile(folder.path);
  const { told, options } = follower();
  const ended = new AbortController();
  const following = followEvents(path, options, ended.signal, new AbortController().signal);
  await appendFile(path, line('1'));
  await until(() => told.length === 1);
  // A line that is half written is not read yet.
  await appendFile(path, line('2') + line('3').slice(0, 20));
  await until(() => told.length === 2);
  await appendFile(path, line('3').slice(20) + line('4').trim());
  await until(() => told.length === 3);
  ended.abort();
  await following;
  expect(told).toEqual(['1', '2', '3', '4']);
  expect(existsSync(path)).toBe(false);
});

it('names the line that is no event, and goes on', async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'a.jsonl');
  await writeFile(path, `${line('1')}\n{"id": 2}\n${'x'.repeat(2_000_000)}\n${line('3')}{"id":`);
  const { told, refused, options } = follower();
  await followEvents(path, options, AbortSignal.abort(), new AbortController().signal);
  expect(told).toEqual(['1', '3']);
  expect(refused).toEqual([
    'line 3: table is missing; it must be text',
    'line 4: the line has more than 1048576 bytes',
    expect.stringMatching(/^line 6: is not JSON/),
  ]);
});

it('tells again what could not be written, in order', async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'a.jsonl');
  await writeFile(path, Array.from({ length: 450 }, (_, index) => line(String(index))).join(''));
  let failures = 1;
  const { told, options } = follower((events) =>
    events[0]?.id === '200' && failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve(),
  );
  await followEvents(path, options, AbortSignal.abort(), new AbortController().signal);
  expect(told).toEqual(Array.from({ length: 450 }, (_, index) => String(index)));
});

it('leaves the file where its lines cannot be published, for the next start', async () => {
  await using folder = await makeFolder();
  const path = newEventsFile(folder.path);
  await writeFile(path, line('1'));
  const { told, options } = follower();
  await followEvents(path, options, AbortSignal.abort(), AbortSignal.abort());
  expect(told).toEqual([]);
  expect(leftEventsFiles(folder.path)).toEqual([path]);
  await followEvents(path, options, AbortSignal.abort(), new AbortController().signal);
  expect(told).toEqual(['1']);
  expect(leftEventsFiles(folder.path)).toEqual([]);
});

it('does not wait for what is never answered when it is to stop', async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'a.jsonl');
  await writeFile(path, line('1'));
  const asked = Promise.withResolvers<undefined>();
  const { options } = follower(() => {
    asked.resolve(undefined);
    return new Promise(() => undefined);
  });
  const stop = new AbortController();
  const following = followEvents(path, options, AbortSignal.abort(), stop.signal);
  await asked.promise;
  stop.abort();
  await following;
  expect(existsSync(path)).toBe(true);
});

it('reads a file anew that was cut or replaced: ids tell what is known', async () => {
  await using folder = await makeFolder();
  const path = newEventsFile(folder.path);
  const { told, refused, options } = follower();
  const ended = new AbortController();
  const following = followEvents(path, options, ended.signal, new AbortController().signal);
  await appendFile(path, line('1') + line('2'));
  await until(() => told.length === 2);
  await writeFile(path, line('3'));
  await until(() => told.length === 3);
  await writeFile(`${path}.new`, line('4') + line('5'));
  await rename(`${path}.new`, path);
  await until(() => told.length === 5);
  ended.abort();
  await following;
  expect(told).toEqual(['1', '2', '3', '4', '5']);
  expect(refused).toEqual(
    Array.from({ length: 2 }, () => 'the file was made anew; it is read from its beginning'),
  );
});

it('tells the first of many lines that are no events, and how many there are', async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'a.jsonl');
  await writeFile(path, '{"id":1}\n'.repeat(1_000));
  const { refused, options } = follower();
  await followEvents(path, options, AbortSignal.abort(), new AbortController().signal);
  expect(refused).toHaveLength(21);
  expect(refused.at(-1)).toBe('980 more lines');
});

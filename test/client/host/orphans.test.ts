import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { execa } from '../../../src/core/exec.ts';
import { AttemptFiles, endOrphans } from '../../../src/client/host/orphans.ts';
import { endGroup, groupIsAlive } from '../../../src/client/host/process-group.ts';
import { ATTEMPT_TAG, OWNER_TAG } from '../../../src/client/host/tags.ts';

async function project(): Promise<{
  directory: string;
  files: AttemptFiles;
  recorded: () => Promise<string[]>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-orphans-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return {
    directory,
    files: new AttemptFiles(directory),
    recorded: () => readdir(join(directory, '.hippo/attempts')),
  };
}

/** A job that an earlier owner left running; ended after the test in any case. */
function job(env: Record<string, string>): number {
  const { pid } = execa('sleep', ['1000'], { detached: true, cleanup: false, reject: false, env });
  if (pid === undefined) throw new Error('not started');
  onTestFinished(async () => {
    await endGroup(pid, 0);
  });
  return pid;
}

it('what an earlier owner left running is ended; what is spared, and what is of another hippo, is not', async () => {
  const { files } = await project();
  const owner = `cluster/${randomUUID()}`;
  const lost = job({ [OWNER_TAG]: owner, [ATTEMPT_TAG]: 'lost' });
  const mine = job({ [OWNER_TAG]: owner, [ATTEMPT_TAG]: 'mine' });
  const other = job({ [OWNER_TAG]: `${owner}-2`, [ATTEMPT_TAG]: 'lost' });
  expect(await endOrphans(owner, files, ['mine'], 5_000)).toBe(1);
  expect([lost, mine, other].map(groupIsAlive)).toEqual([false, true, true]);
});

it('what says nothing by its environment is found by its record', async () => {
  const { files, recorded } = await project();
  const owner = `cluster/${randomUUID()}`;
  const lost = job({});
  await files.write({ attemptId: 'lost/../1', owner, pid: lost });
  expect(await recorded()).toEqual(['lost%2f..%2f1.json']);
  expect(await endOrphans(owner, files, [], 5_000)).toBe(1);
  expect(groupIsAlive(lost)).toBe(false);
  expect(await recorded()).toEqual([]);
});

it('a record whose pid now is another process ends nothing', async () => {
  const { directory, files, recorded } = await project();
  const owner = `cluster/${randomUUID()}`;
  const newcomer = job({});
  await files.write({ attemptId: 'lost', owner, pid: newcomer });
  const path = join(directory, '.hippo/attempts/lost.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...record, startedAt: '1' }));
  expect(await endOrphans(owner, files, [], 5_000)).toBe(0);
  expect(groupIsAlive(newcomer)).toBe(true);
  expect(await recorded()).toEqual([]);
});

it('records of others, and what is none, are left alone', async () => {
  const { directory, files, recorded } = await project();
  const other = job({});
  await files.write({ attemptId: 'other', owner: 'somebody', pid: other });
  await writeFile(join(directory, '.hippo/attempts/broken.json'), '{"attemptId": 1');
  expect(await endOrphans('cluster/me', files, [], 0)).toBe(0);
  expect(groupIsAlive(other)).toBe(true);
  expect(await recorded()).toEqual(['broken.json', 'other.json']);
});

it('a record is written whole or not at all, and the draft of a client that was killed goes', async () => {
  const { directory, files, recorded } = await project();
  const owner = `cluster/${randomUUID()}`;
  await files.write({ attemptId: 'mine', owner, pid: process.pid });
  const { pid: dead } = spawnSync('true');
  for (const writer of [dead, process.pid])
    await writeFile(join(directory, `.hippo/attempts/lost.json.${writer}.draft`), '');
  expect(files.list().map(({ attemptId }) => attemptId)).toEqual(['mine']);
  await endOrphans(owner, files, ['mine'], 0);
  expect(await recorded()).toEqual([`lost.json.${process.pid}.draft`, 'mine.json']);
});

import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { projectFile } from '../../src/scaffold/render.ts';
import { writeProject } from '../../src/scaffold/write.ts';

const FILES = [projectFile('a/b.txt', 'text\n'), projectFile('run.sh', '#!/bin/sh\n')];
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-write-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writing a project', () => {
  it('writes all files, scripts executable, and leaves nothing beside them', async () => {
    await writeProject(join(folder, 'deep/er'), FILES);
    expect(await readFile(join(folder, 'deep/er/a/b.txt'), 'utf8')).toBe('text\n');
    expect((await stat(join(folder, 'deep/er/run.sh'))).mode & 0o111).toBe(0o111);
    expect((await stat(join(folder, 'deep/er/a/b.txt'))).mode & 0o111).toBe(0);
    expect(await readdir(join(folder, 'deep'))).toEqual(['er']);
  });

  it('fills an empty folder without replacing it', async () => {
    const before = (await stat(folder)).ino;
    await writeProject(folder, FILES);
    expect((await stat(folder)).ino).toBe(before);
    expect((await readdir(folder)).sort()).toEqual(['a', 'run.sh']);
  });

  it('writes nothing beside an empty folder, which may be a mounted volume', async () => {
    const volume = join(folder, 'volume');
    await mkdir(volume);
    const before = (await stat(folder, { bigint: true })).mtimeNs;
    await writeProject(volume, FILES);
    expect((await stat(folder, { bigint: true })).mtimeNs).toBe(before);
    expect((await readdir(volume)).sort()).toEqual(['a', 'run.sh']);
  });

  it('refuses a folder that holds anything, and touches nothing in it', async () => {
    await writeFile(join(folder, 'mine'), 'mine');
    await expect(writeProject(folder, FILES)).rejects.toThrow(`${folder} is not empty`);
    expect(await readdir(folder)).toEqual(['mine']);
  });

  it('refuses a file', async () => {
    await writeFile(join(folder, 'mine'), 'mine');
    await expect(writeProject(join(folder, 'mine'), FILES)).rejects.toThrow('is a file');
  });

  it('leaves nothing when a file cannot be written', async () => {
    const files = [...FILES, projectFile('run.sh/below-a-file', 'never')];
    await expect(writeProject(join(folder, 'new'), files)).rejects.toThrow(UserError);
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('says when the place is not writable', async () => {
    await mkdir(join(folder, 'locked'));
    await chmod(join(folder, 'locked'), 0o500);
    await expect(writeProject(join(folder, 'locked/new'), FILES)).rejects.toThrow(
      /cannot write .*locked\/new/,
    );
  });
});
